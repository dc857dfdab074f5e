import {createHash} from 'node:crypto';
import {rm} from 'node:fs/promises';
import {type CatalogueObject, entityTagOf} from '#appliance/contract/catalogue-schema.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {PopNodeErrorCode} from '#pop-node/error-code.ts';
import {createCollapse} from '#pop-node/ingest/collapse.ts';
import {downloadObject, receiveBody} from '#pop-node/ingest/download.ts';
import {describeAnswer, type HeadendClient} from '#pop-node/ingest/headend-client.ts';
import type {StoreEntry} from '#pop-node/store/catalogue-table.ts';
import type {ObjectStore} from '#pop-node/store/object-store.ts';

export type FetcherOptions = {
	readonly client: HeadendClient;
	readonly store: ObjectStore;
	readonly objectBytesMax: number;
	/** Aborts every download, whoever waits for it. */
	readonly signal: AbortSignal;
};

export type FetchStats = {readonly objects: number; readonly bytes: number; readonly failures: number};

export type Fetcher = {
	/** Brings one object of the catalogue onto the disk; any number of callers share one download. */
	fetch(object: CatalogueObject, urgency: 'background' | 'asked'): Promise<void>;
	/** Asks the headend for what it has at a path right now; answers whether it has anything. */
	pull(request: {readonly path: string; readonly uri: string; readonly known?: StoreEntry}): Promise<boolean>;
	/** Whether a pull of this path is on its way and can be joined. */
	isPulling(path: string): boolean;
	/** Removes what was begun of a version that nobody wants any more. What is being written stays until that ends. */
	discard(entry: StoreEntry): Promise<void>;
	/** Bytes that the download of this content has on disk from its begin; undefined while none writes. */
	arrivedBytes(sha256: string): number | undefined;
	stats(): FetchStats;
};

/**
 * The only writer of content. Downloads are collapsed by what they bring: a catalogue object by its digest, a pull by its
 * path, so that a thousand set-tops that miss the same segment cost the headend one request.
 */
export const createFetcher = (options: FetcherOptions): Fetcher => {
	const {client, store, signal} = options;
	const arrived = new Map<string, number>();
	const count = {objects: 0, bytes: 0, failures: 0};

	const {run: collapse, isRunning} = createCollapse({
		onFailure: () => {
			count.failures += 1;
		},
	});

	const finish = async (object: CatalogueObject, partialPath: string): Promise<void> => {
		await store.commit(object, partialPath);
		count.objects += 1;
		count.bytes += object.sizeBytes;
	};

	const fetch = async (object: CatalogueObject, urgency: 'background' | 'asked'): Promise<void> => {
		await collapse(`content ${object.sha256}`, async () => {
			if (await store.adopt(object)) {
				return;
			}
			using _room = await reserve(options, object, urgency);
			const partialPath = store.partialPathOf(object.sha256);
			try {
				await downloadObject({
					client,
					object,
					partialPath,
					signal,
					onProgress: (bytes) => arrived.set(object.sha256, bytes),
				});
				await finish(object, partialPath);
			} catch (error) {
				// It may have been replaced meanwhile: nobody would resume it.
				if (!signal.aborted) {
					await store.dropPartial(object);
				}
				throw error;
			} finally {
				arrived.delete(object.sha256);
			}
		});
		// Whoever joined a download of the same bytes under another name still needs them under this one.
		await store.adopt(object);
	};

	const pull: Fetcher['pull'] = ({path, uri, known}) =>
		collapse(`path ${path}`, async () => {
			const answer = await client.get(path, {
				signal,
				expectedBytes: known?.sizeBytes ?? 0,
				...(known?.stored === undefined ? {} : {ifNoneMatch: entityTagOf(known.stored.sha256)}),
			});
			if (answer.status === 304) {
				return true;
			}
			if (answer.status === 404 || answer.status === 410) {
				return false;
			}
			if (answer.status !== 200) {
				throw new CodedError<PopNodeErrorCode>('POP_NODE_HEADEND_UNREACHABLE', {
					message: `The headend answers ${answer.status}.`,
					details: {path, status: 502},
					retryable: true,
				});
			}
			// The catalogue's own facts (priority, expiry) outlive a pull; only what the bytes say is new.
			const object = {...known, ...describeAnswer(answer, {path, uri})};
			const merged = known === undefined ? object : {...object, priority: known.priority, revision: known.revision};
			const entry = withoutStored(merged);
			using _room = await reserve(options, entry, 'asked');
			const partialPath = `${store.partialPathOf(entry.sha256)}.pull`;
			try {
				await receiveBody(answer, {object: entry, partialPath, startBytes: 0, hash: createHash('sha256'), signal});
			} catch (error) {
				await rm(partialPath, {force: true});
				throw error;
			}
			store.table.put(entry);
			await finish(entry, partialPath);
			return true;
		});

	return {
		fetch,
		pull,
		discard: async (entry) => {
			if (!isRunning(`content ${entry.sha256}`)) {
				await store.dropPartial(entry);
			}
		},
		isPulling: (path) => isRunning(`path ${path}`),
		arrivedBytes: (sha256) => arrived.get(sha256),
		stats: () => ({...count}),
	};
};

/** Room for the object until it is disposed of; two downloads do not count on the same bytes. */
const reserve = async (
	{store, objectBytesMax}: FetcherOptions,
	object: CatalogueObject,
	urgency: 'background' | 'asked',
): Promise<Disposable> => {
	if (object.sizeBytes > objectBytesMax) {
		throw new CodedError<PopNodeErrorCode>('POP_NODE_OBJECT_TOO_LARGE', {
			message: 'An object of the catalogue is larger than pop-node.ingest.objectBytesMax.',
			details: {path: object.path, sizeBytes: object.sizeBytes, objectBytesMax, status: 507},
		});
	}
	const room = await store.reserve(object.sizeBytes, urgency === 'asked' ? 'asked' : object.priority);
	if (room === 'busy') {
		throw new CodedError<PopNodeErrorCode>('POP_NODE_STORE_BUSY', {
			message: 'The room of this pop-node is taken by downloads that run; ask again shortly.',
			details: {path: object.path, sizeBytes: object.sizeBytes, status: 503},
			retryable: true,
		});
	}
	if (room === 'full') {
		throw new CodedError<PopNodeErrorCode>('POP_NODE_STORE_FULL', {
			message: 'The budget of this pop-node has no room for an object; raise pop-node.store.budgetBytes.',
			details: {path: object.path, sizeBytes: object.sizeBytes, status: 507},
		});
	}
	return room;
};

const withoutStored = (entry: StoreEntry): CatalogueObject => {
	const {stored: _stored, ...object} = entry;
	return object;
};
