import {createHash} from 'node:crypto';
import {chmod, mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {lockedVersion, packageFolder, requireIntegrity} from '#image/make/npm-package.ts';
import {projectRoot} from '#native/project-root.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const foreign = '@lydell/node-pty-darwin-arm64';

/** An `npm` first on PATH that packs one file, or something that is no archive, and notes how it was called. */
const withNpm = async (t: ExecutionContext, packs: string): Promise<{readonly calls: () => Promise<string>}> => {
	const directory = await withDirectory(t);
	const log = path.join(directory, 'calls');
	const script = [
		'#!/bin/sh',
		'set -eu',
		`echo "$*" >>'${log}'`,
		'mkdir package',
		'echo code >package/code.bin',
		packs,
		`echo '[{"filename": "some-name.tgz"}]'`,
	].join('\n');
	await writeFile(path.join(directory, 'npm'), `${script}\n`);
	await chmod(path.join(directory, 'npm'), 0o755);
	await writeFile(log, '');
	const before = process.env['PATH'];
	process.env['PATH'] = `${directory}:${before}`;
	t.teardown(() => {
		process.env['PATH'] = before;
	});
	return {calls: async () => await readFile(log, 'utf8')};
};

const packed = 'tar --create --gzip --file some-name.tgz package && rm -r package';

test.serial('what is installed is taken as it is', async (t) => {
	const cacheDirectory = await withDirectory(t);
	const npm = await withNpm(t, 'exit 1');
	const folder = await packageFolder(
		{name: 'better-sqlite3', version: lockedVersion('better-sqlite3')},
		{cacheDirectory, signal: AbortSignal.timeout(10_000)},
	);
	t.is(folder, path.join(projectRoot, 'node_modules/better-sqlite3'));
	t.is(await npm.calls(), '');
});

test.serial('what is for another machine is fetched once', async (t) => {
	const cacheDirectory = path.join(await withDirectory(t), 'cache');
	const npm = await withNpm(t, packed);
	const fetching = {cacheDirectory, signal: AbortSignal.timeout(10_000)};
	// A version that the lock file does not have, so that it has no digest for it.
	const first = await packageFolder({name: foreign, version: '0.0.1'}, fetching);
	t.is(await readFile(path.join(first, 'code.bin'), 'utf8'), 'code\n');
	t.is(await packageFolder({name: foreign, version: '0.0.1'}, fetching), first);
	t.regex(await npm.calls(), /^pack --json --pack-destination \S+ @lydell\/node-pty-darwin-arm64@0\.0\.1\n$/u);
	t.deepEqual(await readdir(cacheDirectory), [path.basename(first)]);
});

test.serial('what is not what the lock file says is not taken', async (t) => {
	const cacheDirectory = await withDirectory(t);
	await withNpm(t, packed);
	await t.throwsAsync(
		packageFolder(
			{name: foreign, version: lockedVersion(foreign)},
			{cacheDirectory, signal: AbortSignal.timeout(10_000)},
		),
		{code: 'IMAGE_RUNTIME_INVALID', message: /is not what package-lock\.json says/u},
	);
	t.deepEqual(await readdir(cacheDirectory), []);
});

test.serial('a registry that does not have it is told', async (t) => {
	const cacheDirectory = await withDirectory(t);
	await withNpm(t, 'echo "404 not found" >&2; exit 1');
	await t.throwsAsync(
		packageFolder({name: foreign, version: '0.0.1'}, {cacheDirectory, signal: AbortSignal.timeout(10_000)}),
		{code: 'IMAGE_RUNTIME_INVALID', message: /could not be fetched from npm: [\s\S]*404 not found/u},
	);
});

test('the digest of the lock file is that of the archive', async (t) => {
	const root = await withDirectory(t);
	const archive = Buffer.from('an archive');
	const integrity = `sha512-${createHash('sha512').update(archive).digest('base64')}`;
	const packages = {'node_modules/thing': {version: '1.0.0', integrity}};
	await mkdir(root, {recursive: true});
	await writeFile(path.join(root, 'package-lock.json'), JSON.stringify({packages}));
	t.is(lockedVersion('thing', root), '1.0.0');
	t.throws(() => lockedVersion('other', root), {code: 'IMAGE_RUNTIME_INVALID'});
	t.notThrows(() => requireIntegrity({name: 'thing', version: '1.0.0'}, archive, root));
	t.throws(() => requireIntegrity({name: 'thing', version: '1.0.0'}, Buffer.from('another'), root), {
		code: 'IMAGE_RUNTIME_INVALID',
	});
});
