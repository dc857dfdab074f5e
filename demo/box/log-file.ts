import {createWriteStream} from 'node:fs';
import {finished} from 'node:stream/promises';
import {createLogger, type Logger, type LogLevel} from '#appliance/log/logger.ts';

/** A demo that is left alone over night must not fill the disk. */
const logBytesMax = 64 * 1024 * 1024;

export type LogFile = AsyncDisposable & {readonly logger: Logger};

/** One file for the demo and everything that it started; what a box has logged as JSON stands there as the box wrote it. */
export const openLogFile = (path: string, level: LogLevel = 'info'): LogFile => {
	const stream = createWriteStream(path);
	// A log that cannot be written is no reason to stop.
	stream.on('error', () => undefined);
	const write = (text: string): void => {
		if (stream.bytesWritten + stream.writableLength < logBytesMax) {
			stream.write(unwrap(text));
		}
	};
	return {
		logger: createLogger({name: 'demo', level}, {write}),
		[Symbol.asyncDispose]: async () => {
			stream.end();
			await finished(stream).catch(() => undefined);
		},
	};
};

const unwrap = (text: string): string => {
	const {line} = JSON.parse(text) as {line?: unknown};
	return typeof line === 'string' && line.startsWith('{') && line.endsWith('}') ? `${line}\n` : text;
};
