import {type FileHandle, open} from 'node:fs/promises';
import type {Readable} from 'node:stream';
import {type CatalogueObject, entityTagOf} from '#appliance/contract/catalogue-schema.ts';
import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import type {ByteRange} from '#appliance/http/byte-ranges.ts';
import {generatorBody} from '#appliance/http/generator-body.ts';
import type {BodyPart} from '#appliance/http/send-representation.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {PopNodeErrorCode} from '#pop-node/error-code.ts';
import type {Fetcher} from '#pop-node/ingest/fetcher.ts';
import type {HeadendClient} from '#pop-node/ingest/headend-client.ts';
import type {ObjectStore} from '#pop-node/store/object-store.ts';

const readBytesMax = 256 * 1024;
const growthPollMs = 25;

export type PassThroughOptions = {
	readonly client: HeadendClient;
	readonly store: ObjectStore;
	readonly fetcher: Fetcher;
	/** Answers at a time that are not from a whole object; each may cost the headend a connection. */
	readonly passThroughsMax: number;
	/** A reader at the edge of a download that stands still so long asks the headend itself. */
	readonly growthTimeoutMs: number;
	/** Ends with the role. */
	readonly signal: AbortSignal;
};

/** Bytes of an object that is not here yet. */
export type PassThrough = {
	readonly isFull: () => boolean;
	readonly body: (object: CatalogueObject, parts: readonly BodyPart[]) => Readable;
};

/**
 * Serves an object while it is being downloaded: what is on the disk already from there, what comes next as it comes, and
 * what lies further ahead straight from the headend, so that a repair of a large new object does not wait for all of it.
 * These bytes have not been verified here; whoever repairs verifies the whole.
 */
export const createPassThrough = (options: PassThroughOptions): PassThrough => {
	const {fetcher, passThroughsMax} = options;
	let running = 0;
	return {
		isFull: () => running >= passThroughsMax,
		body: (object, parts) => {
			const left = new AbortController();
			const signal = AbortSignal.any([options.signal, left.signal]);
			const bytes = bytesOf(object, parts, {...options, signal});
			running += 1;
			fetcher.fetch(object, 'asked').catch(() => undefined);
			return generatorBody(bytes, {
				bufferedBytesMax: readBytesMax,
				onLeft: () => {
					left.abort();
					running -= 1;
				},
			});
		},
	};
};

async function* bytesOf(
	object: CatalogueObject,
	parts: readonly BodyPart[],
	options: PassThroughOptions,
): AsyncGenerator<Uint8Array, void, void> {
	const partial = openPartial(options.store.partialPathOf(object.sha256));
	try {
		for (const part of parts) {
			if (Buffer.isBuffer(part)) {
				yield part;
			} else {
				yield* rangeOf(object, part, partial, options);
			}
		}
	} finally {
		await partial.close();
	}
}

async function* rangeOf(
	object: CatalogueObject,
	{start, end}: ByteRange,
	partial: PartialFile,
	options: PassThroughOptions,
): AsyncGenerator<Uint8Array> {
	let position = start;
	while (position <= end) {
		options.signal.throwIfAborted();
		const hereBytes = await bytesHere(object, position, options);
		const bytes =
			hereBytes <= position
				? undefined
				: await partial.read(position, Math.min(readBytesMax, hereBytes - position, end + 1 - position));
		if (bytes === undefined) {
			yield* fromHeadend(object, {start: position, end}, options);
			return;
		}
		position += bytes.length;
		yield bytes;
	}
}

/** How much is on the disk from the object's begin; waits a little for a download that is about to reach `position`. */
const bytesHere = async (
	object: CatalogueObject,
	position: number,
	{fetcher, store, growthTimeoutMs, signal}: PassThroughOptions,
): Promise<number> => {
	const deadlineMs = performance.now() + growthTimeoutMs;
	for (;;) {
		const arrivedBytes = store.table.isReferenced(object.sha256)
			? object.sizeBytes
			: fetcher.arrivedBytes(object.sha256);
		if (arrivedBytes !== position || performance.now() > deadlineMs) {
			return arrivedBytes ?? 0;
		}
		await sleep(growthPollMs, {signal});
	}
};

async function* fromHeadend(
	object: CatalogueObject,
	{start, end}: ByteRange,
	{client, signal}: PassThroughOptions,
): AsyncGenerator<Uint8Array> {
	const wantedBytes = end + 1 - start;
	const answer = await client.get(object.path, {
		signal,
		expectedBytes: wantedBytes,
		range: {offset: start, end, entityTag: entityTagOf(object.sha256)},
	});
	const isRange =
		answer.status === 206 && answer.headers.get('content-range') === `bytes ${start}-${end}/${object.sizeBytes}`;
	let bytes = 0;
	if (isRange) {
		for await (const chunk of answer.body) {
			bytes += chunk.length;
			if (bytes > wantedBytes) {
				break;
			}
			yield chunk;
		}
	}
	if (bytes !== wantedBytes) {
		throw new CodedError<PopNodeErrorCode>('POP_NODE_HEADEND_UNREACHABLE', {
			message: 'The headend did not send the range that was asked for.',
			details: {path: object.path, answered: answer.status, start, end, bytes, status: 502},
			retryable: true,
		});
	}
}

type PartialFile = {
	/** Undefined when it is not there, or no longer as long as it was. */
	readonly read: (position: number, bytesMax: number) => Promise<Uint8Array | undefined>;
	readonly close: () => Promise<void>;
};

/** The descriptor stays good when the file gets its final name in between. */
const openPartial = (path: string): PartialFile => {
	let handle: FileHandle | undefined;
	return {
		read: async (position, bytesMax) => {
			try {
				handle ??= await open(path, 'r');
			} catch (error) {
				if (hasCode(error, 'ENOENT')) {
					return undefined;
				}
				throw error;
			}
			const {buffer, bytesRead} = await handle.read(Buffer.allocUnsafe(bytesMax), 0, bytesMax, position);
			return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead);
		},
		close: async () => handle?.close(),
	};
};
