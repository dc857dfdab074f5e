import {execFile, spawn} from 'node:child_process';
import {once} from 'node:events';
import {appendFile, cp, rm, stat, symlink} from 'node:fs/promises';
import path from 'node:path';
import {createInterface} from 'node:readline';
import {promisify} from 'node:util';
import {openImageCache} from '#image/make/image-cache.ts';
import {developmentKeysDirectory, openImageKeys} from '#image/make/image-keys.ts';
import {projectRoot} from '#native/project-root.ts';
import {turnBackPackage} from '#test/bench/update/older-package.ts';
import type {Images} from '#test/bench/update/rauc-cost.ts';

const run = promisify(execFile);

export type Variant = {readonly bundlePath: string; readonly images: Images};
export type Variants = {readonly base: Variant; readonly code: Variant; readonly older: Variant};

type BuildOptions = {
	readonly directory: string;
	readonly signal: AbortSignal;
	readonly progress: (line: string) => void;
};

/** What every process of ours has near its beginning: all that follows it in their bundles moves. */
const changedModule = 'appliance/error/coded-error.ts';
const change = "\nObject.assign(globalThis, {streamverseChange: 'of our code only'});\n";
const buildTimeoutMs = 15 * 60_000;
/**
 * Builds three images of a set-top from a copy of the working tree, each of a commit of its own, as releases are: as it is,
 * with a change of our code, and as it was before a package was updated.
 */
export const buildVariants = async (options: BuildOptions): Promise<Variants> => {
	const {directory, signal} = options;
	const sources = path.join(directory, 'sources');
	await copySources(sources, signal);
	const cache = await openImageCache();
	openImageKeys(developmentKeysDirectory, {make: true});
	const base = await build('base', {...options, sources, cache});
	await appendFile(path.join(sources, changedModule), change);
	const code = await build('code', {...options, sources, cache});
	await cp(path.join(projectRoot, changedModule), path.join(sources, changedModule));
	const before = path.join(directory, 'cache');
	await turnBackPackage({
		from: cache,
		to: before,
		work: path.join(directory, 'older-work'),
		signal,
		progress: options.progress,
	});
	return {base, code, older: await build('older', {...options, sources, cache: before})};
};

const copySources = async (sources: string, signal: AbortSignal): Promise<void> => {
	await run('git', ['clone', '--quiet', '--shared', '--no-checkout', projectRoot, sources], {signal});
	const {stdout} = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
		...{cwd: projectRoot, maxBuffer: 1 << 26, signal},
	});
	for (const file of stdout.split('\0').filter(Boolean)) {
		const from = path.join(projectRoot, file);
		// Deleted, and not yet committed.
		if ((await stat(from).catch(() => undefined)) !== undefined) {
			await cp(from, path.join(sources, file));
		}
	}
	await symlink(path.join(projectRoot, 'node_modules'), path.join(sources, 'node_modules'));
	await symlink(path.join(projectRoot, 'native/build'), path.join(sources, 'native/build'));
};

const build = async (
	name: keyof Variants,
	options: BuildOptions & {readonly sources: string; readonly cache: string},
): Promise<Variant> => {
	const {directory, sources, cache, progress} = options;
	const out = path.join(directory, name);
	const signal = AbortSignal.any([options.signal, AbortSignal.timeout(buildTimeoutMs)]);
	const identity = ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost'];
	await run('git', [...identity, 'commit', '--quiet', '--allow-empty', '--message', name], {cwd: sources, signal});
	const release = name === 'code' ? '1.0.1' : '1.0.0';
	const places = ['--out', out, '--cache', cache, '--keys', developmentKeysDirectory];
	const arguments_ = ['cli/main.ts', 'image', 'build', 'stb', '--release', release, ...places];
	const child = spawn(process.execPath, arguments_, {cwd: sources, stdio: ['ignore', 'pipe', 'inherit'], signal});
	createInterface({input: child.stdout}).on('line', (line) => progress(`${name}: ${line}`));
	const [code] = (await once(child, 'close', {signal})) as [number | null];
	if (code !== 0) {
		throw new Error(`The image ${name} was not built (code ${code}); the lines above say why.`);
	}
	const bundlePath = path.join(out, `streamverse-stb-amd64-${release}.raucb`);
	const content = path.join(out, 'content');
	await run('unsquashfs', ['-quiet', '-no-progress', '-dest', content, bundlePath], {signal});
	await rm(path.join(out, `streamverse-stb-amd64-${release}.img`));
	return {bundlePath, images: {rootfs: path.join(content, 'rootfs.img'), boot: path.join(content, 'boot.img')}};
};
