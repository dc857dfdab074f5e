import {execFile} from 'node:child_process';
import {createHash} from 'node:crypto';
import {chmod, cp, mkdir, readFile, symlink, utimes, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';
import test from 'ava';
import {releaseVersionSchema} from '#appliance/contract/fleet/release-schema.ts';
import {artifactPath, createRelease} from '#ota/release/create-release.ts';
import {blockSizeBytes, digestBundle, digestBytes} from '#ota/release/digest-bundle.ts';
import {packTree} from '#ota/release/pack-tree.ts';
import {releaseArtifacts} from '#ota/release/release-artifacts.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const run = promisify(execFile);
const {signal} = new AbortController();
const release = releaseVersionSchema.parse('2.4.0');
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const makeTree = async (directory: string): Promise<string> => {
	const tree = join(directory, 'tree');
	await mkdir(join(tree, 'bin'), {recursive: true});
	await writeFile(join(tree, 'bin', 'role'), '#!/bin/sh\n');
	await chmod(join(tree, 'bin', 'role'), 0o700);
	await writeFile(join(tree, 'large'), Buffer.alloc(3 * blockSizeBytes + 17, 7));
	await writeFile(join(tree, 'empty'), '');
	await symlink('bin/role', join(tree, 'role'));
	return tree;
};

test('the same tree is the same bundle, whenever and wherever it was made, and tar can read it', async (t) => {
	const directory = await withDirectory(t);
	const tree = await makeTree(directory);
	const copy = join(directory, 'copy');
	await cp(tree, copy, {recursive: true, verbatimSymlinks: true});
	await utimes(join(copy, 'large'), 1, 1);
	const [first, second] = [join(directory, 'a.tar'), join(directory, 'b.tar')];
	await packTree(tree, {bundlePath: first, signal});
	await packTree(copy, {bundlePath: second, signal});
	t.is(sha256(await readFile(first)), sha256(await readFile(second)));
	const {stdout} = await run('tar', ['--list', '--verbose', '--numeric-owner', '--file', first]);
	t.deepEqual(
		stdout
			.trim()
			.split('\n')
			.map((line) => `${line.slice(0, 10)} ${line.replace(/^.*\d\d:\d\d /u, '')}`),
		['drwxr-xr-x bin', '-rwxr-xr-x bin/role', '-rw-r--r-- empty', '-rw-r--r-- large', 'lrwxr-xr-x role -> bin/role'],
	);
	t.true(
		stdout
			.split('\n')
			.filter(Boolean)
			.every((line) => / 0\/0 /u.test(line)),
	);
});

for (const [what, target] of [
	['an absolute path', '/etc/passwd'],
	['a path out of the tree', '../../etc/passwd'],
] as const) {
	test(`a tree with a link to ${what} is refused`, async (t) => {
		const directory = await withDirectory(t);
		const tree = await makeTree(directory);
		await symlink(target, join(tree, 'bin', 'evil'));
		const packing = packTree(tree, {bundlePath: join(directory, 'a.tar'), signal});
		await t.throwsAsync(packing, {code: 'OTA_RELEASE_TREE_INVALID'});
	});
}

test('a bundle is digested as a whole and block by block', async (t) => {
	const path = join(await withDirectory(t), 'bundle');
	for (const sizeBytes of [1, blockSizeBytes, blockSizeBytes + 1, 40 * blockSizeBytes + 5]) {
		const bytes = Buffer.alloc(sizeBytes, 0).map((_, index) => index % 251);
		await writeFile(path, bytes);
		const digest = await digestBundle(path, {signal});
		t.is<string, string>(digest.sha256, sha256(bytes));
		t.is(digest.sizeBytes, sizeBytes);
		t.is(digest.blockList.length, digestBytes * Math.ceil(sizeBytes / blockSizeBytes));
		const last = bytes.subarray(blockSizeBytes * Math.floor((sizeBytes - 1) / blockSizeBytes));
		t.is(digest.blockList.subarray(-digestBytes).toString('hex'), sha256(last).slice(0, 2 * digestBytes));
	}
});

test('a release names its bundles and keeps them by their digests', async (t) => {
	const directory = await withDirectory(t);
	const path = join(directory, 'stb.tar');
	await writeFile(path, 'bundle');
	const bundles = [{path, kind: 'stb', compatible: 'lab', format: 'directory'}] as const;
	const options = {release, notes: 'n', bundles, signal};
	const {manifest} = await createRelease({...options, directory: join(directory, 'release')});
	t.is(`${manifest.bundles[0]?.sha256}`, sha256(Buffer.from('bundle')));
	for (const {sha256: digest, sizeBytes} of releaseArtifacts(manifest)) {
		const bytes = await readFile(artifactPath(join(directory, 'release'), digest));
		t.is(bytes.length, sizeBytes);
		t.is<string, string>(sha256(bytes), digest);
	}
	const twice = createRelease({...options, bundles: [...bundles, ...bundles], directory: join(directory, 'twice')});
	await t.throwsAsync(twice, {code: 'OTA_RELEASE_BUNDLE_INVALID'});
	await writeFile(path, '');
	const empty = createRelease({...options, directory: join(directory, 'empty')});
	await t.throwsAsync(empty, {code: 'OTA_RELEASE_BUNDLE_INVALID'});
});
