import {type FileHandle, open} from 'node:fs/promises';
import {type ObjectUri, objectUriOfPath} from '#appliance/contract/object-uri.ts';
import {errorMessage} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {sleep} from '#appliance/time/sleep.ts';

const pollIntervalMs = 250;
const readBytesMax = 1024 * 1024;
/** nginx appends, so that truncating frees the disk at once; the few lines between are uses, not money. */
const truncateAtBytes = 4 * 1024 * 1024;

/** One object's uses among the lines read at a time. */
export type Use = {readonly uri: ObjectUri; readonly count: number; readonly usedMs: number};

/**
 * The lines `<seconds> <path>` of nginx's log, by object. Thousands a second may name the same few objects, so that a
 * line costs a look-up and only an object costs more.
 */
export const parseUses = (lines: readonly string[]): readonly Use[] => {
	const byPath = new Map<string, {count: number; seconds: string}>();
	for (const line of lines) {
		const space = line.indexOf(' ');
		const path = line.slice(space + 1);
		const seconds = line.slice(0, Math.max(0, space));
		const known = byPath.get(path);
		if (known === undefined) {
			byPath.set(path, {count: 1, seconds});
		} else {
			known.count += 1;
			known.seconds = seconds;
		}
	}
	return [...byPath].map(([path, {count, seconds}]) => useOf(path, count, seconds)).filter((use) => use !== undefined);
};

/** Undefined for what is not ours to count. nginx writes quotes and control characters as `\xHH`, which no object's path has. */
const useOf = (path: string, count: number, seconds: string): Use | undefined => {
	const usedMs = Math.round(Number(seconds) * 1000);
	if (!path.startsWith('/') || seconds === '' || Number.isNaN(usedMs)) {
		return undefined;
	}
	try {
		return {uri: objectUriOfPath(path.split('/').map(encodeURIComponent).join('/')), count, usedMs};
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
			const uses = parseUses(lines);
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

/** An idle box looks at a size four times a second, and allocates nothing. */
const readFrom = async (handle: FileHandle, offset: number): Promise<{readonly text: string; readonly end: number}> => {
	const {size} = await handle.stat();
	const wanted = Math.min(readBytesMax, size - offset);
	if (wanted <= 0) {
		return {text: '', end: offset};
	}
	const {buffer, bytesRead} = await handle.read(Buffer.allocUnsafe(wanted), 0, wanted, offset);
	return {text: buffer.toString('utf8', 0, bytesRead), end: offset + bytesRead};
};
