import {execFile} from 'node:child_process';
import {globSync} from 'node:fs';
import {mkdir, readFile, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {promisify} from 'node:util';
import {hostMirror} from '#image/make/host-mirror.ts';
import {loadRecipe, rootfsHash} from '#image/make/recipe.ts';

const run = promisify(execFile);

/**
 * What Debian updates for security and every box has, the most costly first: OpenSSL lies in the root and in the initrd. An
 * archive has two versions of a package from its update to the next point release.
 */
const packages = ['libssl3t64', 'libcurl3t64-gnutls', 'libpcre2-8-0', 'libexpat1', 'liblzma5', 'zlib1g'];
const aptTimeoutMs = 300_000;

type Options = {
	/** Where the tarball of packages is that images are made of. */
	readonly from: string;
	/** Gets one as it was before a package was updated. Must not exist. */
	readonly to: string;
	/** Must not exist. */
	readonly work: string;
	readonly signal: AbortSignal;
	readonly progress: (line: string) => void;
};

/** Makes the tarball of packages of an image anew, with one package as it was before Debian's last update of it. */
export const turnBackPackage = async ({from, to, work, signal, progress}: Options): Promise<void> => {
	const recipe = loadRecipe('stb', 'amd64');
	const tarball = `rootfs-${rootfsHash(recipe)}.tar`;
	const root = path.join(work, 'root');
	await mkdir(root, {recursive: true});
	await mkdir(to);
	await run('tar', ['--extract', '--exclude=./dev/*', '--file', path.join(from, tarball), '--directory', root], {
		signal,
	});
	const older = await fetchOlder(recipe.suite, {root, work, signal});
	progress(`the package before its update: ${path.basename(older)}`);
	await run('dpkg-deb', ['--extract', older, root], {signal});
	await run('tar', ['--create', '--numeric-owner', '--file', path.join(to, tarball), '--directory', root, '.'], {
		signal,
	});
	await rm(work, {recursive: true});
};

/** By apt, with lists of its own: the builder's are of another suite. */
const fetchOlder = async (
	suite: string,
	{root, work, signal}: {readonly root: string; readonly work: string; readonly signal: AbortSignal},
): Promise<string> => {
	const {archive, security} = hostMirror();
	const [state, cache, list] = ['state', 'cache', 'sources.list'].map((name) => path.join(work, name));
	await mkdir(path.join(`${state}`, 'lists/partial'), {recursive: true});
	await mkdir(path.join(`${cache}`, 'archives/partial'), {recursive: true});
	await writeFile(
		`${list}`,
		[
			`deb ${archive} ${suite} main`,
			`deb ${archive} ${suite}-updates main`,
			`deb ${security} ${suite}-security main`,
			'',
		].join('\n'),
	);
	const settings = Object.entries({
		'Dir::State': state,
		'Dir::State::status': path.join(root, 'var/lib/dpkg/status'),
		'Dir::Cache': cache,
		'Dir::Etc::SourceList': list,
		'Dir::Etc::SourceParts': '/dev/null',
		'APT::Architecture': 'amd64',
		'APT::Architectures': 'amd64',
		'APT::Sandbox::User': 'root',
	}).flatMap(([name, value]) => ['--option', `${name}=${value}`]);
	const apt = async (tool: string, ...args: string[]): Promise<string> =>
		(await run(tool, [...settings, ...args], {cwd: work, signal, timeout: aptTimeoutMs})).stdout;
	await apt('apt-get', 'update');
	const status = await readFile(path.join(root, 'var/lib/dpkg/status'), 'utf8');
	for (const name of packages) {
		const installed = new RegExp(`^Package: ${name}\n(?:.+\n)*?Version: (.+)$`, 'mu').exec(status)?.[1];
		const versions = (await apt('apt-cache', 'madison', name)).split('\n').map((line) => line.split('|')[1]?.trim());
		const other = versions.find((version) => version !== undefined && version !== installed);
		if (installed !== undefined && other !== undefined) {
			await apt('apt-get', 'download', `${name}=${other}`);
			const [file = ''] = globSync(`${name}_*.deb`, {cwd: work});
			return path.join(work, file);
		}
	}
	throw new Error(
		`The mirror has one version alone of ${packages.join(', ')}: there is no update to measure just now.`,
	);
};
