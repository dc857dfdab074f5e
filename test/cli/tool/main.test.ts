import {execFile} from 'node:child_process';
import {existsSync} from 'node:fs';
import {mkdir, open, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {exitCode} from '#appliance/process/exit-code.ts';
import {openImageCache} from '#image/make/image-cache.ts';
import {makeTool} from '#image/make/make-tool.ts';
import type {Architecture} from '#image/make/recipe.ts';
import {programFolders} from '#image/make/require-tools.ts';
import {isCodeOf} from '#image/make/target-code.ts';
import {projectRoot} from '#native/project-root.ts';
import {manifestName} from '#ota/release/create-release.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {bytesAt, usedDisk, withFlashImage} from '#test/helper/with-flash-image.ts';

const run = promisify(execFile);
const own: Architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
const other: Architecture = own === 'arm64' ? 'amd64' : 'arm64';
const canStripOther = programFolders().some((folder) => existsSync(path.join(folder, 'aarch64-linux-gnu-objcopy')));
const megabyte = 1024 * 1024;

type Ran = {readonly code: number; readonly output: string};

const withTool = async (t: ExecutionContext, architecture: Architecture): Promise<string> => {
	const file = path.join(await withDirectory(t), 'streamverse');
	await makeTool({
		...{architecture, file, release: '4.5.6', progress: () => undefined},
		cacheDirectory: await openImageCache(),
		entry: path.join(projectRoot, 'cli/tool/main.ts'),
		signal: AbortSignal.timeout(240_000),
	});
	return file;
};

/** Without environment but for PATH; and, where this user may mount, without the checkout. */
const runAlone = async (tool: string, args: readonly string[], cwd: string): Promise<Ran> => {
	const hide = `mount -t tmpfs none '${projectRoot}' && cd "$0" && exec "$@"`;
	const [command, ...rest] =
		process.getuid?.() === 0 ? ['unshare', '--mount', 'sh', '-c', hide, cwd, tool, ...args] : [tool, ...args];
	try {
		const env = {PATH: '/usr/sbin:/usr/bin:/sbin:/bin'};
		const {stdout, stderr} = await run(command ?? '', rest, {cwd, env, timeout: 120_000});
		return {code: 0, output: stdout + stderr};
	} catch (error) {
		const {code, stdout, stderr} = error as {code: number; stdout: string; stderr: string};
		return {code, output: stdout + stderr};
	}
};

test('one file is a technician’s command line: it explains itself, flashes and verifies', async (t) => {
	t.timeout(300_000);
	const tool = await withTool(t, own);
	const home = await withDirectory(t);
	const call = async (...args: readonly string[]): Promise<Ran> => await runAlone(tool, args, home);

	const help = await call('--help');
	t.is(help.code, exitCode.success, help.output);
	for (const command of ['flash', 'config', 'release', 'catalogue']) {
		t.regex(help.output, new RegExp(`^ +${command} `, 'mu'));
	}
	t.deepEqual(await call('--version'), {code: 0, output: '4.5.6\n'});
	t.is((await call('flsh')).code, exitCode.usage);

	const {directory, imagePath, root, rootOffset, espOffset} = await withFlashImage(t);
	const disk = await usedDisk(directory, 48 * megabyte);
	const state = path.join(directory, 'state');
	const flash = ['flash', imagePath, '--device', disk, '--site', 'nairobi-3', '--state', state, '--yes'];
	const flashed = await call(...flash);
	t.is(flashed.code, exitCode.success, flashed.output);
	t.true((await bytesAt(disk, rootOffset, root.length)).equals(root));
	const {stdout: seed} = await run('mtype', ['-i', `${disk}@@${espOffset}`, '::/streamverse/seed.json']);
	t.is(JSON.parse(seed).site, 'nairobi-3');
	{
		await using handle = await open(imagePath, 'r+');
		await handle.write(Buffer.from('X'), 0, 1, rootOffset + 12 * megabyte);
	}
	const refused = await call(...flash);
	t.is(refused.code, exitCode.failure);
	t.regex(refused.output, /FLASH_IMAGE_INVALID/u);
});

test('it makes and verifies a signed release, and finds the mistakes of a box’s file', async (t) => {
	t.timeout(300_000);
	const tool = await withTool(t, own);
	const home = await withDirectory(t);
	const call = async (...args: readonly string[]): Promise<Ran> => await runAlone(tool, args, home);

	await mkdir(path.join(home, 'software'));
	await writeFile(path.join(home, 'software/main.js'), 'process.exit();\n');
	for (const args of [
		['create-key', 'key'],
		['create', 'r', '--release', '2.0.0', '--bundle', 'stb:lab:software'],
		['sign', 'r', '--key', 'key'],
	]) {
		const {code, output} = await call('release', ...args);
		t.is(code, exitCode.success, output);
	}
	const good = await call('release', 'verify', 'r', '--ca', 'key/ca.pem');
	t.regex(good.output, /^good: signed by /mu);
	const manifest = path.join(home, 'r', manifestName);
	await writeFile(manifest, (await readFile(manifest, 'utf8')).replace('2.0.0', '2.0.1'));
	t.is((await call('release', 'verify', 'r', '--ca', 'key/ca.pem')).code, exitCode.failure);

	await writeFile(path.join(home, 'box.yaml'), 'version: 1\nbox: {id: b, kind: stb, stateDirectory: s}\nstb: {x: 1}\n');
	const checked = await call('config', 'check', 'box.yaml');
	t.is(checked.code, exitCode.configuration, checked.output);
	t.regex(checked.output, /box\.yaml:3: stb\.x: is not a known key/u);
});

(canStripOther ? test : test.skip)(
	'for the other architecture it is that one’s machine code, with our commands',
	async (t) => {
		t.timeout(300_000);
		const tool = await withTool(t, other);
		t.true(isCodeOf(tool, other));
		const bytes = await readFile(tool);
		t.true(bytes.includes('NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:1'), 'Node looks for it');
		t.true(bytes.includes('write an image to disks, verified'));
	},
);
