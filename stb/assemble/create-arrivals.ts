import type {ObjectUri} from '#appliance/contract/object-uri.ts';
import type {FluteRange} from '#native/flute/receiver-event.ts';
import {type ArrivalRecord, hasBegun, isOpen} from '#stb/assemble/arrival.ts';
import type {ArrivalRepair} from '#stb/assemble/arrival-repair.ts';
import {type ArrivalReaderParts, readArrival} from '#stb/assemble/read-arrival.ts';
import type {Arrivals, ArrivingObject} from '#stb/serve/arrivals.ts';

type ReadOptions = Parameters<ArrivingObject['read']>[0];

/** What serving sees of the objects that are on their way. */
export const createArrivals = (options: {
	readonly latest: (uri: string) => ArrivalRecord | undefined;
	readonly repair: ArrivalRepair;
	readonly parts: Omit<ArrivalReaderParts, 'fillNow'>;
	/** Called when a reader leaves. */
	readonly onReaderLeft: (record: ArrivalRecord) => void;
	readonly signal: AbortSignal;
}): Arrivals => {
	const {latest, repair, parts, onReaderLeft} = options;
	const read = async function* (record: ArrivalRecord, {start, end, signal}: ReadOptions): AsyncGenerator<Buffer> {
		record.readers += 1;
		try {
			const fillNow = record.repairable()
				? (range: FluteRange, asked: AbortSignal) => repair.fillNow(record, range, asked)
				: undefined;
			const stop = AbortSignal.any([signal, options.signal]);
			yield* readArrival({...parts, fillNow}, record, {start, end, signal: stop});
		} finally {
			record.readers -= 1;
			onReaderLeft(record);
		}
	};
	return {
		find: (uri) => {
			const record = latest(uri);
			if (record === undefined || !isReadable(record)) {
				return undefined;
			}
			const {sizeBytes, contentType, sha256} = record.facts;
			return {
				uri: record.facts.uri as ObjectUri,
				sizeBytes: sizeBytes ?? 0,
				contentType,
				...(sha256 === undefined ? {} : {sha256}),
				heldRange: (range) => heldRange(record, range, parts),
				read: (readOptions) => read(record, readOptions),
			};
		},
		settled: async (uri, {signal}) => {
			signal.throwIfAborted();
			const record = latest(uri);
			if (record !== undefined) {
				await untilAborted(record.settled.promise, signal);
			}
		},
	};
};

/** Where the receiver says that bytes are there; an object whose transmission is over is repaired as a whole. */
const heldRange = (
	record: ArrivalRecord,
	{start, end}: {readonly start: number; readonly end: number},
	{receiver}: Pick<ArrivalReaderParts, 'receiver'>,
): {readonly start: number; readonly end: number} | undefined => {
	if (!isOpen(record)) {
		return undefined;
	}
	const [first] = receiver.available(record.id, {offset: start, length: end - start + 1});
	return first === undefined ? undefined : {start: first.offset, end: first.offset + first.length - 1};
};

/** Readable while it arrives: uncompressed, and either on its way or known to be sent as soon as it is listed. */
const isReadable = (record: ArrivalRecord): boolean =>
	record.facts.kind === 'content' &&
	record.facts.encoding === 'identity' &&
	(record.facts.priority === 'live' || hasBegun(record));

const untilAborted = async (work: Promise<void>, signal: AbortSignal): Promise<void> => {
	const aborted = Promise.withResolvers<never>();
	const onAbort = (): void => aborted.reject(signal.reason);
	signal.addEventListener('abort', onAbort, {once: true});
	try {
		await Promise.race([work, aborted.promise]);
	} finally {
		signal.removeEventListener('abort', onAbort);
	}
};
