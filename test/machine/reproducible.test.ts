import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {mkdir, open, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {Writable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
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

test('two builds of one commit give the same bytes, whoever makes them', async (t) => {
	t.timeout(2 * buildTimeoutMs);
	const directory = await withDirectory(t);
	const build = async (name: string): Promise<MadeImage> => {
		const overlay = path.join(directory, `overlay-${name}`);
		await mkdir(path.join(overlay, 'etc/laid-over'), {recursive: true});
		await writeFile(path.join(overlay, 'etc/laid-over/file'), 'As sources are that were checked out under an umask.\n');
		return await buildImage({
			...{kind: 'stb', architecture: 'amd64', trust: 'development', release: '1.0.0'},
			...{outDirectory: path.join(directory, name), extraOverlays: [overlay]},
			output: new Writable({write: (_chunk, _encoding, done) => done()}),
			signal: AbortSignal.timeout(buildTimeoutMs),
		});
	};
	const umask = process.umask();
	t.teardown(() => process.umask(umask));
	process.umask(commonUmask);
	const first = await build('first');
	process.umask(privateUmask);
	const second = await build('second');
	t.is(await digestOf(second.diskPath), await digestOf(first.diskPath), 'the disk');
	t.is(await digestOf(second.blockMapPath), await digestOf(first.blockMapPath), 'its block map');
	const bytes = await payloadBytes(first.bundlePath);
	t.true(bytes > 0);
	t.is(await digestOf(second.bundlePath, bytes), await digestOf(first.bundlePath, bytes), 'what the bundle holds');
});
