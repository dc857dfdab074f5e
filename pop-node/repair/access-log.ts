import {createWriteStream, openSync, renameSync, rmSync, statSync, type WriteStream} from 'node:fs';
import {finished} from 'node:stream/promises';
import type {Logger} from '#appliance/log/logger.ts';

/** Lines that wait for a slow disk; beyond it they are dropped and counted, the answers do not wait. */
const queuedBytesMax = 4 * 1024 * 1024;

/** A disk that was full may have room again. */
const linesUntilReopen = 1000;

export type AccessLogEntry = {
	readonly time: string;
	readonly client: string;
	readonly method: string;
	readonly path: string;
	readonly status: number;
	readonly bytes: number;
	readonly durationMs: number;
	readonly range?: string;
	readonly agent?: string;
};

export type AccessLog = AsyncDisposable & {
	write(entry: AccessLogEntry): void;
	stats(): {readonly lines: number; readonly dropped: number};
};

/**
 * The file is there from now on: a stream makes its own in a while, and lines that are to turn to the next file before then
 * would find none to rename. What cannot be opened becomes an error of the stream.
 */
const openStream = (path: string): WriteStream => {
	let descriptor: number | undefined;
	try {
		descriptor = openSync(path, 'a');
	} catch {
		// The stream tries again, and tells why it cannot.
	}
	return createWriteStream(path, {flags: 'a', ...(descriptor === undefined ? {} : {fd: descriptor})});
};

/** JSON lines in `path`, `path.1`, …: at most `filesMax` files of about `fileBytesMax`. */
export const openAccessLog = (options: {
	readonly path: string;
	readonly fileBytesMax: number;
	readonly filesMax: number;
	readonly logger: Logger;
}): AccessLog => {
	const {path, fileBytesMax, filesMax, logger} = options;
	let fileBytes = 0;
	let stream: WriteStream;
	const count = {lines: 0, dropped: 0};
	const open = (): void => {
		fileBytes = statSync(path, {throwIfNoEntry: false})?.size ?? 0;
		stream = openStream(path);
		stream.on('error', (error) => logger.warn({err: error}, 'the access log cannot be written'));
	};
	const rotate = (): void => {
		stream.end();
		for (let index = filesMax - 1; index >= 1; index -= 1) {
			const from = index === 1 ? path : `${path}.${index - 1}`;
			if (statSync(from, {throwIfNoEntry: false}) !== undefined) {
				renameSync(from, `${path}.${index}`);
			}
		}
		if (filesMax === 1) {
			rmSync(path, {force: true});
		}
		open();
	};
	open();
	return {
		write: (entry) => {
			if (stream.writableLength > queuedBytesMax || stream.errored !== null) {
				count.dropped += 1;
				if (stream.errored !== null && count.dropped % linesUntilReopen === 0) {
					open();
				}
				return;
			}
			const line = `${JSON.stringify(entry)}\n`;
			if (fileBytes > 0 && fileBytes + line.length > fileBytesMax) {
				// A folder that cannot be written is no reason to end the process; the old file grows until it can.
				try {
					rotate();
				} catch (error) {
					logger.warn({err: error}, 'the access log cannot be rotated');
					open();
				}
			}
			fileBytes += Buffer.byteLength(line);
			stream.write(line);
			count.lines += 1;
		},
		stats: () => ({...count}),
		[Symbol.asyncDispose]: async () => {
			stream.end();
			await finished(stream).catch(() => undefined);
		},
	};
};
