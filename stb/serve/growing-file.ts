import {type FileHandle, open} from 'node:fs/promises';

const readBytesMax = 256 * 1024;

/**
 * A file that one writes from its beginning while others read behind. Readers see a byte once it is released; the end
 * and failure wake them. The descriptor closes when writer and readers have left.
 */
export type GrowingFile = {
	readonly path: string;
	readonly writtenBytes: () => number;
	readonly write: (bytes: Buffer) => Promise<void>;
	/** Readers may have everything before this. */
	readonly release: (endBytes: number) => void;
	readonly fail: (error: unknown) => void;
	/** Keeps the file open for reads that begin later, until called back; undefined when it is closed already. */
	readonly retain: () => (() => Promise<void>) | undefined;
	/** The writer leaves. */
	readonly leave: () => Promise<void>;
	readonly read: (options: {
		readonly start: number;
		readonly end: number;
		readonly signal: AbortSignal;
	}) => AsyncGenerator<Buffer, void, void>;
};

export const createGrowingFile = async (path: string): Promise<GrowingFile> => {
	const handle = await open(path, 'wx+');
	let written = 0;
	let released = 0;
	let users = 1;
	let failure: {readonly error: unknown} | undefined;
	let progress = Promise.withResolvers<void>();
	const wake = (): void => {
		progress.resolve();
		progress = Promise.withResolvers<void>();
	};
	const leave = async (): Promise<void> => {
		users -= 1;
		if (users === 0) {
			await handle.close();
		}
	};
	return {
		path,
		writtenBytes: () => written,
		write: async (bytes) => {
			written += await writeAll(handle, bytes, written);
		},
		release: (endBytes) => {
			released = Math.max(released, endBytes);
			wake();
		},
		fail: (error) => {
			failure ??= {error};
			wake();
		},
		retain: () => {
			if (users === 0) {
				return undefined;
			}
			users += 1;
			return leave;
		},
		leave,
		async *read({start, end, signal}) {
			if (users === 0) {
				throw new Error('This file is closed.');
			}
			users += 1;
			try {
				let at = start;
				while (at <= end) {
					signal.throwIfAborted();
					if (at >= released) {
						if (failure !== undefined) {
							throw failure.error;
						}
						await wait(progress.promise, signal);
						continue;
					}
					const wanted = Math.min(readBytesMax, released - at, end + 1 - at);
					const {buffer, bytesRead} = await handle.read(Buffer.allocUnsafeSlow(wanted), 0, wanted, at);
					at += bytesRead;
					yield buffer.subarray(0, bytesRead);
				}
			} finally {
				await leave();
			}
		},
	};
};

const writeAll = async (handle: FileHandle, bytes: Buffer, position: number): Promise<number> => {
	let done = 0;
	while (done < bytes.length) {
		const {bytesWritten} = await handle.write(bytes, done, bytes.length - done, position + done);
		done += bytesWritten;
	}
	return done;
};

/** Leaves no listener on the signal, which may live as long as the connection. */
const wait = async (progress: Promise<void>, signal: AbortSignal): Promise<void> => {
	const {promise, reject} = Promise.withResolvers<never>();
	const abort = () => reject(signal.reason);
	signal.addEventListener('abort', abort, {once: true});
	try {
		await Promise.race([progress, promise]);
	} finally {
		signal.removeEventListener('abort', abort);
	}
};
