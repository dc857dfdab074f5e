import {execFile, spawn} from 'node:child_process';
import {once} from 'node:events';
import {appendFile, cp, mkdir, open, readFile, rm, stat, symlink} from 'node:fs/promises';
import path from 'node:path';
import {createInterface} from 'node:readline';
import {promisify} from 'node:util';
import {loadRecipe, rootfsHash} from '#image/make/recipe.ts';
import {projectRoot} from '#native/project-root.ts';
import type {Images} from '#test/bench/update/rauc-cost.ts';

const run = promisify(execFile);

export type Variant = {readonly bundlePath: string; readonly images: Images};
export type Variants = {readonly base: Variant; readonly code: Variant; readonly package: Variant};

type BuildOptions = {
	readonly directory: string;
	readonly signal: AbortSignal;
	readonly progress: (line: string) => void;
};

/** What every process of ours has near its beginning: all that follows it in their bundles moves. */
const changedModule = 'appliance/error/coded-error.ts';
const change = "\nObject.assign(globalThis, {streamverseChange: 'of our code only'});\n";
/** Of what Debian updates for security, the largest that every box has twice: in its root, and in its initrd. */
const updatedPackage = 'libssl3t64:amd64';
const buildTimeoutMs = 15 * 60_000;
const pageBytes = 4096;
/** A rebuilt library is a little longer. */
const growth = 0.01;

/**
 * Builds three images of a set-top from a copy of the working tree, each of a commit of its own, as releases are: as it is,
 * with a change of our code, and with an updated package.
 */
export const buildVariants = async (options: BuildOptions): Promise<Variants> => {
	const {directory, signal} = options;
	const sources = path.join(directory, 'sources');
	await copySources(sources, signal);
	const cache = path.join(projectRoot, 'build/image-cache');
	await mkdir(cache, {recursive: true});
	const base = await build('base', {...options, sources, cache});
	await appendFile(path.join(sources, changedModule), change);
	const code = await build('code', {...options, sources, cache});
	await cp(path.join(projectRoot, changedModule), path.join(sources, changedModule));
	const updated = path.join(directory, 'cache');
	await updatePackage({from: cache, to: updated, work: path.join(directory, 'root'), signal});
	return {base, code, package: await build('package', {...options, sources, cache: updated})};
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
	await rm(path.join(sources, 'build/image-cache'), {force: true});
	await mkdir(path.join(sources, 'build'), {recursive: true});
	await symlink(cache, path.join(sources, 'build/image-cache'));
	const release = name === 'base' ? '1.0.0' : '1.0.1';
	const arguments_ = ['cli/main.ts', 'image', 'build', 'stb', '--release', release, '--out', out];
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

/**
 * The tarball of packages in which each larger file of one is as after a new build: no page is what it was, and it is a
 * little longer. A real update leaves more as it is.
 */
const updatePackage = async (options: {
	readonly from: string;
	readonly to: string;
	readonly work: string;
	readonly signal: AbortSignal;
}): Promise<void> => {
	const {from, to, work, signal} = options;
	const tarball = `rootfs-${rootfsHash(loadRecipe('stb', 'amd64'))}.tar`;
	await mkdir(work);
	await mkdir(to);
	await run('tar', ['--extract', '--exclude=./dev/*', '--file', path.join(from, tarball), '--directory', work], {
		signal,
	});
	const list = await readFile(path.join(work, 'var/lib/dpkg/info', `${updatedPackage}.list`), 'utf8');
	let changed = 0;
	for (const file of list.split('\n').map((name) => path.join(work, name))) {
		const facts = await stat(file).catch(() => undefined);
		if (facts?.isFile() === true && facts.size > pageBytes) {
			await rebuild(file, facts.size);
			changed += 1;
		}
	}
	if (changed === 0) {
		throw new Error(`${updatedPackage} has no file that an update would change.`);
	}
	await run('tar', ['--create', '--numeric-owner', '--file', path.join(to, tarball), '--directory', work, '.'], {
		signal,
	});
	await symlink(path.join(from, 'keys'), path.join(to, 'keys'));
	await rm(work, {recursive: true});
};

const rebuild = async (file: string, sizeBytes: number): Promise<void> => {
	await using handle = await open(file, 'r+');
	const byte = Buffer.alloc(1);
	for (let at = pageBytes / 2; at < sizeBytes; at += pageBytes) {
		await handle.read(byte, 0, 1, at);
		byte[0] = (byte[0] ?? 0) ^ 0x5a;
		await handle.write(byte, 0, 1, at);
	}
	const more = Math.ceil(sizeBytes * growth);
	const bytes = Buffer.alloc(more);
	await handle.read(bytes, 0, more, 0);
	await handle.write(bytes, 0, more, sizeBytes);
};
