import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {mkdir, open, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {Writable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {isDeepStrictEqual} from 'node:util';
import test from 'ava';
import {buildImage} from '#image/make/build-image.ts';
import type {MadeImage} from '#image/make/make-image.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const buildTimeoutMs = 30 * 60_000;
const commonUmask = 0o022;
/** Of a builder who shares no file with anybody. */
const privateUmask = 0o077;
/** Where squashfs tells how many bytes it has; behind them come RAUC's hash tree, whose salt is random, and its signature. */
const squashfsBytesAt = 40;

const digestOf = async (file: string, bytes?: number): Promise<string> => {
	const hash = createHash('sha256');
	await pipeline(createReadStream(file, bytes === undefined ? {} : {end: bytes - 1}), hash);
	return hash.digest('hex');
};

const payloadBytes = async (file: string): Promise<number> => {
	await using handle = await open(file);
	const {buffer} = await handle.read(Buffer.alloc(8), 0, 8, squashfsBytesAt);
	return Number(buffer.readBigUInt64LE());
};

const packagesOf = async ({diskPath}: MadeImage): Promise<readonly string[]> =>
	(await readFile(diskPath.replace(/\.img$/u, '.packages.txt'), 'utf8')).split('\n');

test('two builds of one commit give the same bytes, whoever makes them', async (t) => {
	t.timeout(3 * buildTimeoutMs);
	const directory = await withDirectory(t);
	const umask = process.umask();
	t.teardown(() => process.umask(umask));
	const build = async (
		name: string,
		builder: {readonly umask: number; readonly cache?: string},
	): Promise<MadeImage> => {
		process.umask(builder.umask);
		const overlay = path.join(directory, `overlay-${name}`);
		await mkdir(path.join(overlay, 'etc/laid-over'), {recursive: true});
		await writeFile(path.join(overlay, 'etc/laid-over/file'), 'As sources are that were checked out under an umask.\n');
		return await buildImage({
			...{kind: 'stb', architecture: 'amd64', trust: 'development', release: '1.0.0'},
			...{outDirectory: path.join(directory, name), extraOverlays: [overlay], cacheDirectory: builder.cache},
			output: new Writable({write: (_chunk, _encoding, done) => done()}),
			signal: AbortSignal.timeout(buildTimeoutMs),
		});
	};
	// The one of packages that are kept, which an earlier commit may have set up; the other of some that are set up for it.
	let first = await build('first', {umask: commonUmask});
	const second = await build('second', {umask: privateUmask, cache: path.join(directory, 'cache-second')});
	if (!isDeepStrictEqual(await packagesOf(first), await packagesOf(second))) {
		t.log('Debian has other packages by now than those that are kept: the first is built of those as well');
		first = await build('again', {umask: commonUmask, cache: path.join(directory, 'cache-again')});
	}
	t.deepEqual(
		await packagesOf(first),
		await packagesOf(second),
		'the mirror changed between two builds: run this again',
	);
	t.is(await digestOf(second.diskPath), await digestOf(first.diskPath), 'the disk');
	t.is(await digestOf(second.blockMapPath), await digestOf(first.blockMapPath), 'its block map');
	const bytes = await payloadBytes(first.bundlePath);
	t.true(bytes > 0);
	t.is(await digestOf(second.bundlePath, bytes), await digestOf(first.bundlePath, bytes), 'what the bundle holds');
});
