import {type FileHandle, open} from 'node:fs/promises';
import {z} from 'zod';
import {type ObjectUri, objectUriOfPath} from '#appliance/contract/object-uri.ts';
import {errorMessage} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {sleep} from '#appliance/time/sleep.ts';

const pollIntervalMs = 250;
const readBytesMax = 1024 * 1024;
/** nginx appends, so that truncating frees the disk at once; the few lines between are uses, not money. */
const truncateAtBytes = 4 * 1024 * 1024;

const lineSchema = z.object({ms: z.string().max(32), path: z.string().max(4096)});

export type Use = {readonly uri: ObjectUri; readonly usedMs: number};

/** One line of nginx's log; undefined for what is not ours to count. */
export const parseUse = (line: string): Use | undefined => {
	try {
		const {ms, path} = lineSchema.parse(JSON.parse(line));
		const encoded = path.split('/').map(encodeURIComponent).join('/');
		const usedMs = Math.round(Number(ms) * 1000);
		return Number.isNaN(usedMs) ? undefined : {uri: objectUriOfPath(encoded), usedMs};
	} catch {
		return undefined;
	}
};

/** Follows nginx's buffered log until the signal aborts, and keeps it short. */
export const followAccessLog = async (options: {
	readonly path: string;
	readonly onUses: (uses: readonly Use[]) => void;
	readonly logger: Logger;
	readonly signal: AbortSignal;
}): Promise<void> => {
	const {path, onUses, logger, signal} = options;
	await using handle = await open(path, 'a+');
	let offset = 0;
	let rest = '';
	while (!signal.aborted) {
		try {
			const {text, end} = await readFrom(handle, offset);
			offset = end;
			const lines = (rest + text).split('\n');
			rest = lines.pop() ?? '';
			const uses = lines.map(parseUse).filter((use) => use !== undefined);
			if (uses.length > 0) {
				onUses(uses);
			}
			if (offset > truncateAtBytes) {
				await handle.truncate(0);
				offset = 0;
				rest = '';
			}
			if (text.length === 0) {
				await sleep(pollIntervalMs, {signal});
			}
		} catch (error) {
			if (signal.aborted) {
				return;
			}
			logger.warn({reason: errorMessage(error)}, 'the log of nginx cannot be read');
			await sleep(pollIntervalMs * 10, {signal}).catch(() => undefined);
		}
	}
};

const readFrom = async (handle: FileHandle, offset: number): Promise<{readonly text: string; readonly end: number}> => {
	const {buffer, bytesRead} = await handle.read(Buffer.alloc(readBytesMax), 0, readBytesMax, offset);
	return {text: buffer.toString('utf8', 0, bytesRead), end: offset + bytesRead};
};
