import {closeSync, fstatSync, openSync, readSync, writeSync} from 'node:fs';

/** As device-mapper's log-writes has it, and QEMU's `blklogwrites`: a head, then entries, each padded to a sector. */
const magic = 0x6a_73_66_77_73_68_72n;
const headBytes = 32;
const flushFlag = 1n;
const fuaFlag = 2n;
const discardFlag = 4n;
const knownFlags = 15n;
const copyBytes = 1024 * 1024;

type LoggedWrite = {
	readonly flags: bigint;
	/** On the disk. */
	readonly offsetBytes: number;
	readonly sizeBytes: number;
	/** In the log. */
	readonly dataAtBytes: number;
};

/** What a disk's cache held when the power went: all of it reached the medium, none of it, or some, in any order. */
export type CacheLoss = 'nothing' | 'everything' | 'some';

export type Replay = {readonly writes: number; readonly unflushed: number; readonly lost: number};

/** QEMU's name for a disk whose writes are logged. */
export const loggedDisk = ({diskPath, logPath}: {readonly diskPath: string; readonly logPath: string}): string => {
	const log = {driver: 'file', filename: logPath};
	// As often as it is flushed is often enough: what lies behind the head's count is read as well.
	const disk = {driver: 'raw', file: {driver: 'blklogwrites', file: {driver: 'file', filename: diskPath}, log}};
	// A comma would end the option of which this is a part.
	return `json:${JSON.stringify(disk)}`.replaceAll(',', ',,');
};

/**
 * Writes what a log holds to a disk as it was when the log was begun. A disk with a cache has on its medium what was
 * written before the last flush; of the rest it has what the loss leaves, and where a write was torn its begin alone.
 */
export const replayLog = (options: {
	readonly logPath: string;
	readonly diskPath: string;
	readonly loss: CacheLoss;
	readonly random: () => number;
	/** As if the power had gone after so many of its entries; default: after the last. */
	readonly entries?: number;
}): Replay => {
	const {logPath, diskPath, loss, random} = options;
	const [log, disk] = [openSync(logPath, 'r'), openSync(diskPath, 'r+')];
	try {
		const {sectorBytes, writes: all} = readWrites(log);
		const writes = all.slice(0, options.entries);
		const flushed = writes.findLastIndex(({flags}) => (flags & flushFlag) !== 0n) + 1;
		let lost = 0;
		for (const [index, write] of writes.entries()) {
			const isSafe = index < flushed || (write.flags & fuaFlag) !== 0n || loss === 'nothing';
			const share = isSafe ? 1 : loss === 'everything' ? 0 : random() < 0.5 ? 1 : random() < 0.5 ? 0 : random();
			const keptBytes = Math.floor((write.sizeBytes * share) / sectorBytes) * sectorBytes;
			lost += keptBytes < write.sizeBytes ? 1 : 0;
			copy({log, disk}, write, keptBytes);
		}
		return {writes: writes.length, unflushed: writes.length - flushed, lost};
	} finally {
		closeSync(log);
		closeSync(disk);
	}
};

/** How many entries a log has. */
export const logEntries = (logPath: string): number => {
	const log = openSync(logPath, 'r');
	try {
		return readWrites(log).writes.length;
	} finally {
		closeSync(log);
	}
};

const readWrites = (log: number): {readonly sectorBytes: number; readonly writes: readonly LoggedWrite[]} => {
	const head = Buffer.alloc(headBytes);
	const {size} = fstatSync(log);
	readSync(log, head, 0, headBytes, 0);
	if (size === 0) {
		return {sectorBytes: 1, writes: []};
	}
	if (head.readBigUInt64LE(0) !== magic) {
		throw new RangeError('This is no log of writes.');
	}
	const sectorBytes = head.readUInt32LE(24);
	const writes: LoggedWrite[] = [];
	for (let atBytes = sectorBytes; atBytes + headBytes <= size; ) {
		readSync(log, head, 0, headBytes, atBytes);
		const [sector, count, flags] = [head.readBigUInt64LE(0), head.readBigUInt64LE(8), head.readBigUInt64LE(16)];
		const dataAtBytes = atBytes + sectorBytes;
		const isDiscard = (flags & discardFlag) !== 0n;
		const sizeBytes = isDiscard ? 0 : Number(count) * sectorBytes;
		const isEnd = sector === 0n && count === 0n && flags === 0n;
		if (isEnd || flags > knownFlags || dataAtBytes + sizeBytes > size) {
			break;
		}
		writes.push({flags, offsetBytes: Number(sector) * sectorBytes, sizeBytes, dataAtBytes});
		atBytes = dataAtBytes + sizeBytes;
	}
	return {sectorBytes, writes};
};

const chunk = Buffer.alloc(copyBytes);

const copy = (
	{log, disk}: {readonly log: number; readonly disk: number},
	{offsetBytes, dataAtBytes}: LoggedWrite,
	sizeBytes: number,
): void => {
	for (let doneBytes = 0; doneBytes < sizeBytes; ) {
		const length = Math.min(copyBytes, sizeBytes - doneBytes);
		const readBytes = readSync(log, chunk, 0, length, dataAtBytes + doneBytes);
		writeSync(disk, chunk, 0, readBytes, offsetBytes + doneBytes);
		doneBytes += readBytes;
	}
};
