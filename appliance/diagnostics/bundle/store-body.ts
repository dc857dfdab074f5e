import {createHash, randomUUID} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {type FileHandle, mkdir, open, rm} from 'node:fs/promises';
import path from 'node:path';
import type {Readable} from 'node:stream';
import type {DiagnosticsErrorCode} from '#appliance/diagnostics/error-code.ts';
import {CodedError} from '#appliance/error/coded-error.ts';

/** Bytes that can be read again from any offset, as an upload that was cut needs. */
export type StoredBody = AsyncDisposable & {
	readonly sizeBytes: number;
	/** Lower-case hexadecimal. */
	readonly sha256: string;
	/** False when no disk took it, and memory holds it. */
	readonly onDisk: boolean;
	readonly read: (offsetBytes: number) => AsyncIterable<Buffer>;
};

/**
 * Keeps a stream until it is uploaded: in a file, and, when the disk is full or broken, in memory from there on, because
 * a box whose disk is full is the very box whose bundle is wanted.
 */
export const storeBody = async (
	source: Readable,
	options: {readonly directory: string; readonly bytesMax: number},
): Promise<StoredBody> => {
	const filePath = path.join(options.directory, `${randomUUID()}.body`);
	const digest = createHash('sha256');
	const memory: Buffer[] = [];
	let sizeBytes = 0;
	let fileBytes = 0;
	const sink: {file: FileHandle | undefined} = {file: await openFile(options.directory, filePath)};
	const dispose = async (): Promise<void> => {
		memory.length = 0;
		await rm(filePath, {force: true}).catch(() => undefined);
	};
	try {
		for await (const chunk of source as AsyncIterable<Buffer>) {
			sizeBytes += chunk.length;
			refuseTooLarge(sizeBytes, options.bytesMax);
			digest.update(chunk);
			if (sink.file !== undefined && (await writeWhole(sink.file, chunk, fileBytes))) {
				fileBytes += chunk.length;
			} else {
				await sink.file?.close().catch(() => undefined);
				sink.file = undefined;
				memory.push(chunk);
			}
		}
	} catch (error) {
		await dispose();
		throw error;
	} finally {
		await sink.file?.close().catch(() => undefined);
	}
	return {
		sizeBytes,
		sha256: digest.digest('hex'),
		onDisk: memory.length === 0,
		read: (offsetBytes) => readFrom({filePath, fileBytes, memory}, offsetBytes),
		[Symbol.asyncDispose]: dispose,
	};
};

const openFile = async (directory: string, filePath: string): Promise<FileHandle | undefined> => {
	try {
		await mkdir(directory, {recursive: true});
		return await open(filePath, 'wx', 0o600);
	} catch {
		return undefined;
	}
};

const writeWhole = async (file: FileHandle, chunk: Buffer, position: number): Promise<boolean> => {
	try {
		for (let written = 0; written < chunk.length; ) {
			const {bytesWritten} = await file.write(chunk, written, chunk.length - written, position + written);
			written += bytesWritten;
		}
		return true;
	} catch {
		// What was half written stays beyond `fileBytes`, where nobody reads it.
		return false;
	}
};

async function* readFrom(
	body: {readonly filePath: string; readonly fileBytes: number; readonly memory: readonly Buffer[]},
	offsetBytes: number,
): AsyncGenerator<Buffer, void, undefined> {
	if (offsetBytes < body.fileBytes) {
		yield* createReadStream(body.filePath, {start: offsetBytes, end: body.fileBytes - 1}) as AsyncIterable<Buffer>;
	}
	let skipBytes = Math.max(0, offsetBytes - body.fileBytes);
	for (const chunk of body.memory) {
		if (skipBytes < chunk.length) {
			yield chunk.subarray(skipBytes);
		}
		skipBytes = Math.max(0, skipBytes - chunk.length);
	}
}

const refuseTooLarge = (sizeBytes: number, bytesMax: number): void => {
	if (sizeBytes > bytesMax) {
		throw new CodedError<DiagnosticsErrorCode>('DIAGNOSTICS_TOO_LARGE', {
			message: `What was collected is larger than the ${bytesMax} bytes that may be kept.`,
			details: {bytesMax},
		});
	}
};
