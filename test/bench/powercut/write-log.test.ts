import {execFileSync} from 'node:child_process';
import {copyFile, readFile, truncate, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {type CacheLoss, loggedDisk, type Replay, replayLog} from '#test/bench/powercut/write-log.ts';
import {seededRandom} from '#test/helper/seeded-random.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const diskBytes = 1024 * 1024;
const pageBytes = 4096;

/** A disk that was written by QEMU, and what replaying its log onto an empty one makes of that. */
const withReplay = async (
	t: ExecutionContext,
	{commands, loss, seed = 1}: {readonly commands: readonly string[]; readonly loss: CacheLoss; readonly seed?: number},
): Promise<{readonly replay: Replay; readonly written: Buffer; readonly replayed: Buffer}> => {
	const directory = await withDirectory(t);
	const [diskPath, logPath, copyPath] = ['disk', 'log', 'copy'].map((name) => join(directory, name)) as [
		string,
		string,
		string,
	];
	await writeFile(diskPath, '');
	await truncate(diskPath, diskBytes);
	await copyFile(diskPath, copyPath);
	await writeFile(logPath, '');
	const disk = loggedDisk({diskPath, logPath}).replaceAll(',,', ',');
	execFileSync('qemu-io', ['-t', 'writeback', ...commands.flatMap((command) => ['-c', command]), disk], {
		stdio: 'ignore',
	});
	// qemu-io flushes when it ends, as a machine whose power is cut does not.
	execFileSync('truncate', ['--size', String(await endOfWrites(logPath)), logPath]);
	const replay = replayLog({logPath, diskPath: copyPath, loss, random: seededRandom(seed)});
	return {replay, written: await readFile(diskPath), replayed: await readFile(copyPath)};
};

/** Without the flushes at its end. */
const endOfWrites = async (logPath: string): Promise<number> => {
	const sectorBytes = 512;
	const log = await readFile(logPath);
	let end = log.length;
	const isFlush = (): boolean => log.readBigUInt64LE(end - sectorBytes + 16) === 1n;
	while (end > sectorBytes && isFlush()) {
		end -= sectorBytes;
	}
	return end;
};

const page = (disk: Buffer, number: number): number => disk[number * pageBytes] ?? -1;
const commands = ['write -P 1 0 4k', 'flush', 'write -P 2 0 4k', 'write -P 3 8k 8k', 'write -z 64k 4k'];

test('what a disk has acknowledged is there when its cache loses nothing', async (t) => {
	const {replay, written, replayed} = await withReplay(t, {commands, loss: 'nothing'});
	t.true(written.equals(replayed));
	t.is(page(replayed, 0), 2);
	t.like(replay, {unflushed: 3, lost: 0});
});

test('what was flushed is there when its cache loses everything', async (t) => {
	const {replay, replayed} = await withReplay(t, {commands, loss: 'everything'});
	t.deepEqual([page(replayed, 0), page(replayed, 2), page(replayed, 3)], [1, 0, 0]);
	t.like(replay, {unflushed: 3, lost: 3});
});

test('what is lost in part is any part, and always the same for one seed', async (t) => {
	const seen = new Set<string>();
	for (let seed = 0; seed < 24; seed += 1) {
		const {replayed} = await withReplay(t, {commands, loss: 'some', seed});
		t.true([1, 2].includes(page(replayed, 0)), 'the old page or the new one');
		seen.add([page(replayed, 0), page(replayed, 2), page(replayed, 3)].join(' '));
	}
	t.true(seen.has('1 3 3') && seen.has('2 0 0'), [...seen].join(', '));
	const again = await withReplay(t, {commands, loss: 'some', seed: 5});
	const once = await withReplay(t, {commands, loss: 'some', seed: 5});
	t.true(again.replayed.equals(once.replayed));
});
