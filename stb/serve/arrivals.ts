import type {ObjectUri} from '#appliance/contract/object-uri.ts';

/** An object that is being received, readable where its ranges are known to be complete. */
export type ArrivingObject = {
	readonly uri: ObjectUri;
	readonly sizeBytes: number;
	readonly contentType: string;
	/** Of the identity bytes, where the sender announced it. */
	readonly sha256?: string | undefined;
	/** The first run of bytes within `start` to `end` (all inclusive) that is there now. Absent: nobody can tell. */
	readonly heldRange?: (range: {
		readonly start: number;
		readonly end: number;
	}) => {readonly start: number; readonly end: number} | undefined;
	/**
	 * Yields the bytes from `start` to `end` (inclusive) in order as they become complete. Starting it tells repair that
	 * a player waits.
	 */
	readonly read: (options: {
		readonly start: number;
		readonly end: number;
		readonly signal: AbortSignal;
	}) => AsyncIterable<Buffer>;
};

/** What is on its way from the satellite. */
export type Arrivals = {
	readonly find: (uri: string) => ArrivingObject | undefined;
	/** Resolves when the object is no longer arriving, be it in the cache or given up. */
	readonly settled: (uri: string, options: {readonly signal: AbortSignal}) => Promise<void>;
};
