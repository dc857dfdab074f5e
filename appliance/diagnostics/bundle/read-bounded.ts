import {constants} from 'node:fs';
import {open, readdir, stat} from 'node:fs/promises';
import path from 'node:path';
import type {CollectOptions} from '#appliance/diagnostics/bundle/collector.ts';
import type {DiagnosticsErrorCode} from '#appliance/diagnostics/error-code.ts';
import {CodedError} from '#appliance/error/coded-error.ts';

const chunkBytes = 256 * 1024;

/**
 * The last bytes of a file. Opened without blocking, because a FIFO that nobody writes would hold one of the few threads
 * by which this process does everything with files; what is no regular file is refused.
 */
export const readTail = async (filePath: string, {bytesMax, signal}: CollectOptions): Promise<Buffer> => {
	await using file = await open(filePath, constants.O_RDONLY | constants.O_NONBLOCK);
	const facts = await file.stat();
	if (!facts.isFile()) {
		throw new CodedError<DiagnosticsErrorCode>('DIAGNOSTICS_NOT_A_FILE', {
			message: `${filePath} is not a regular file.`,
			details: {filePath},
		});
	}
	// Files of /proc and /sys say that they are empty, and are read from their begin.
	let position = Math.max(0, facts.size - bytesMax);
	const chunks: Buffer[] = [];
	let leftBytes = bytesMax;
	while (leftBytes > 0) {
		signal.throwIfAborted();
		const length = Math.min(chunkBytes, leftBytes);
		const {bytesRead, buffer} = await file.read(Buffer.alloc(length), 0, length, position);
		if (bytesRead === 0) {
			break;
		}
		chunks.push(buffer.subarray(0, bytesRead));
		position += bytesRead;
		leftBytes -= bytesRead;
	}
	return Buffer.concat(chunks);
};

/** Several small files as one text, each under its name; one that cannot be read says why in its place. */
export const readSeveral = async (filePaths: readonly string[], options: CollectOptions): Promise<string> => {
	const parts: string[] = [];
	for (const filePath of filePaths) {
		options.signal.throwIfAborted();
		const text = await readTail(filePath, options).then(String, (error: unknown) => `(${String(error)})\n`);
		parts.push(`==> ${filePath} <==\n${text}`);
	}
	return parts.join('\n');
};

export type FoundFile = {readonly path: string; readonly sizeBytes: number; readonly modifiedMs: number};

/** Regular files of a directory, the newest first; none when there is no such directory. */
export const newestFiles = async (
	directory: string,
	{filesMax, pattern}: {readonly filesMax: number; readonly pattern: RegExp},
): Promise<readonly FoundFile[]> => {
	const names = await readdir(directory).catch(() => []);
	const files = await Promise.all(
		names
			.filter((name) => pattern.test(name))
			.map(async (name) => {
				const filePath = path.join(directory, name);
				const facts = await stat(filePath).catch(() => undefined);
				return facts?.isFile() ? {path: filePath, sizeBytes: facts.size, modifiedMs: facts.mtimeMs} : undefined;
			}),
	);
	return files
		.filter((file) => file !== undefined)
		.toSorted((one, other) => other.modifiedMs - one.modifiedMs)
		.slice(0, filesMax);
};
