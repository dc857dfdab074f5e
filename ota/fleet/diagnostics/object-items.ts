import {createHash} from 'node:crypto';
import {generatorBody} from '#appliance/http/generator-body.ts';
import {apiError} from '#ota/fleet/api/api-error.ts';
import type {DiagnosticsServerErrorCode} from '#ota/fleet/diagnostics/diagnostics-error.ts';
import type {ItemStore} from '#ota/fleet/diagnostics/item-store.ts';
import {recordToObjects} from '#ota/fleet/diagnostics/object-recording.ts';
import {deletePart, listOrphans, listParts, type PartRow} from '#ota/fleet/diagnostics/part-repository.ts';
import {partKeyOf, storePart} from '#ota/fleet/diagnostics/store-part.ts';
import type {ObjectStore} from '#ota/fleet/object/object-store.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

/** Of one object, which is held in memory until it is full or the box's line breaks. */
const partBytesMax = 1024 ** 2;
/** An upload has these at most, however often its line breaks: enough for the largest with a break at every 16 KiB. */
const partsMax = 4096;
const bufferedBytesMax = 256 * 1024;
const digestTimeoutMs = 60_000;

export type ObjectItemsOptions = {
	readonly objects: ObjectStore;
	readonly database: FleetDatabase;
	/** Where items are that were taken before there was a store of objects; they stay there until their time is over. */
	readonly older: ItemStore;
	readonly partBytes?: number;
};

/**
 * Items as parts that follow each other, each an object; the database says which ones count. Any server goes on where
 * another stopped, and of two that go on at the same place one is refused.
 */
export const createObjectItems = (options: ObjectItemsOptions): ItemStore => {
	const {objects, database, older} = options;
	const remove = async (parts: readonly PartRow[]): Promise<void> => {
		for (const {key} of parts) {
			await objects.remove(key);
			await deletePart(database, key);
		}
	};
	return {
		receivedBytes: async (id) => sizeOf(await listParts(database, id)),
		append: (id, part) => append(options, id, part),
		digest: async (id) => {
			const digest = createHash('sha256');
			for await (const chunk of readParts(
				objects,
				await listParts(database, id),
				AbortSignal.timeout(digestTimeoutMs),
			)) {
				digest.update(chunk);
			}
			return digest.digest('hex');
		},
		finish: () => Promise.resolve(),
		record: (id) => Promise.resolve(recordToObjects({objects, database, id})),
		open: async (id) => {
			const parts = await listParts(database, id);
			const first = parts.find(({size_bytes}) => size_bytes > 0);
			if (first === undefined) {
				return await older.open(id);
			}
			// Somebody may have cleared the store.
			return (await objects.size(first.key)) === undefined
				? undefined
				: {
						sizeBytes: sizeOf(parts),
						body: () => {
							const left = new AbortController();
							return generatorBody(readParts(objects, parts, left.signal), {
								bufferedBytesMax,
								onLeft: () => left.abort(),
							});
						},
					};
		},
		remove: async (id) => {
			await remove(await listParts(database, id));
			await older.remove(id);
		},
		tidy: async () => await remove(await listOrphans(database)),
	};
};

const sizeOf = (parts: readonly PartRow[]): number => parts.reduce((sum, part) => sum + part.size_bytes, 0);

async function* readParts(
	objects: ObjectStore,
	parts: readonly PartRow[],
	signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
	for (const {key, size_bytes: sizeBytes} of parts) {
		if (sizeBytes > 0) {
			yield* objects.read(key, {start: 0, end: sizeBytes - 1}, {signal});
		}
	}
}

const append = async (
	{objects, database, partBytes = partBytesMax}: ObjectItemsOptions,
	item: string,
	{offsetBytes, body}: {readonly offsetBytes: number; readonly body: AsyncIterable<Buffer>},
): Promise<number> => {
	let startBytes = offsetBytes;
	for await (const bytes of gather(body, partBytes)) {
		if ((await listParts(database, item)).length >= partsMax) {
			throw refusal('OTA_UPLOAD_TOO_LARGE', 413, `An upload may come in ${partsMax} pieces.`);
		}
		const counted = await storePart({objects, database}, {key: partKeyOf(item), item, startBytes, bytes});
		if (counted !== 'counted') {
			throw counted === 'elsewhere'
				? refusal('OTA_UPLOAD_OFFSET', 409, 'The upload goes on elsewhere: ask for its offset.')
				: refusal('OTA_UPLOAD_OVER', 410, 'This upload is not awaited any more.');
		}
		startBytes += bytes.length;
	}
	return startBytes;
};

/** Buffers of so many bytes or a little more; what came before the body broke is the last of them. */
async function* gather(body: AsyncIterable<Buffer>, bytesMin: number): AsyncGenerator<Buffer, void, void> {
	let waiting: Buffer[] = [];
	let waitingBytes = 0;
	let broken: {readonly error: unknown} | undefined;
	try {
		for await (const chunk of body) {
			waiting.push(chunk);
			waitingBytes += chunk.length;
			if (waitingBytes >= bytesMin) {
				const whole = Buffer.concat(waiting);
				waiting = [];
				waitingBytes = 0;
				yield whole;
			}
		}
	} catch (error) {
		broken = {error};
	}
	if (waitingBytes > 0) {
		yield Buffer.concat(waiting);
	}
	if (broken !== undefined) {
		throw broken.error;
	}
}

const refusal = (code: DiagnosticsServerErrorCode, status: number, message: string) =>
	apiError<DiagnosticsServerErrorCode>(code, {status, message});
