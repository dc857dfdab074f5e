import {mkdir, readFile, readlink, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {buffer} from 'node:stream/consumers';
import test, {type ExecutionContext} from 'ava';
import {pack} from 'tar-stream';
import {extractTar} from '#ota/slot/directory/extract-tar.ts';
import {sampleBundle, sha256Of} from '#test/helper/sample-update.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

type Header = Parameters<ReturnType<typeof pack>['entry']>[0];

const tarOf = async (...entries: readonly (readonly [Header, string])[]): Promise<Buffer> => {
	const archive = pack();
	for (const [header, text] of entries) {
		archive.entry(header, text);
	}
	archive.finalize();
	return await buffer(archive as unknown as NodeJS.ReadableStream);
};

const unpack = async (t: ExecutionContext, bytes: Buffer): Promise<{into: string; root: string; sha256: string}> => {
	const root = await withDirectory(t);
	const [path, into] = [join(root, 'bundle.tar'), join(root, 'slot')];
	await writeFile(path, bytes);
	await mkdir(into);
	const {sha256} = await extractTar({path, into, signal: AbortSignal.timeout(10_000)});
	return {into, root, sha256};
};

test('a tree comes out as it went in, with links that stay inside, and the digest of the file', async (t) => {
	const bytes = await tarOf(
		[{name: 'bin/', type: 'directory'}, ''],
		[{name: 'bin/tool', mode: 0o4777}, 'tool'],
		[{name: 'lib/deep/link', type: 'symlink', linkname: '../../bin/tool'}, ''],
		[{name: './here.txt'}, 'here'],
	);
	const {into, sha256} = await unpack(t, bytes);
	t.is(sha256, sha256Of(bytes));
	t.is(await readFile(join(into, 'lib/deep/link'), 'utf8'), 'tool');
	t.is(await readFile(join(into, 'here.txt'), 'utf8'), 'here');
	t.is((await stat(join(into, 'bin/tool'))).mode & 0o7777, 0o755, 'no setuid, nothing writable for others');
	t.is(await readlink(join(into, 'lib/deep/link')), '../../bin/tool');
});

const hostile: Record<string, readonly (readonly [Header, string])[]> = {
	'an absolute name': [[{name: '/etc/passwd'}, 'x']],
	'a name that climbs': [[{name: '../outside'}, 'x']],
	'a name that climbs on its way': [[{name: 'a/../../outside'}, 'x']],
	'a name with a backslash': [[{name: 'a\\..\\b'}, 'x']],
	'a name that is too deep': [[{name: 'a/'.repeat(100)}, '']],
	'a line’s end in a name': [[{name: 'a\nb'}, 'x']],
	'a line’s end in a link': [[{name: 'link', type: 'symlink', linkname: 'a\rb'}, '']],
	'a NUL in a name of a PAX header': [[{name: 'x', pax: {path: 'a\0b'}}, 'x']],
	'a name that climbs in a PAX header': [[{name: 'x', pax: {path: '../outside'}}, 'x']],
	'an absolute link': [[{name: 'link', type: 'symlink', linkname: '/etc'}, '']],
	'a link that climbs': [[{name: 'a/link', type: 'symlink', linkname: '../../etc'}, '']],
	'a link that climbs after a step down': [[{name: 'a/link', type: 'symlink', linkname: 'x/../../..'}, '']],
	'a file written through a link': [
		[{name: 'link', type: 'symlink', linkname: 'elsewhere'}, ''],
		[{name: 'link/file'}, 'x'],
	],
	'a hard link': [
		[{name: 'file'}, 'x'],
		[{name: 'hard', type: 'link', linkname: 'file'}, ''],
	],
	'a device': [[{name: 'null', type: 'character-device', devmajor: 1, devminor: 3}, '']],
	'a pipe': [[{name: 'pipe', type: 'fifo'}, '']],
	'the same file twice': [
		[{name: 'file'}, 'one'],
		[{name: './file'}, 'two'],
	],
};

for (const [what, entries] of Object.entries(hostile)) {
	test(`a bundle with ${what} is refused`, async (t) => {
		const bytes = await tarOf(...entries);
		await t.throwsAsync(unpack(t, bytes), {code: 'OTA_SLOT_BUNDLE_HOSTILE'});
	});
}

test('what is no tar, or is cut off, is refused and never crashes', async (t) => {
	const whole = await sampleBundle('1.0.0');
	for (const bytes of [Buffer.alloc(0), Buffer.alloc(1024), Buffer.from('<html>'), whole.subarray(0, 2000)]) {
		await t.throwsAsync(unpack(t, bytes), {code: 'OTA_SLOT_BUNDLE_INVALID'});
	}
	for (let seed = 0; seed < 60; seed += 1) {
		const bent = Buffer.from(whole);
		const at = (seed * 97) % 1600;
		bent[at] = (bent[at] ?? 0) ^ (1 << (seed % 8));
		const error = await unpack(t, bent).then(
			() => undefined,
			(reason: unknown) => reason,
		);
		t.true(
			error === undefined || (error instanceof Error && 'code' in error && String(error.code).startsWith('OTA_SLOT_')),
			String(error),
		);
	}
});
