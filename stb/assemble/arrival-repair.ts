import {open, rm} from 'node:fs/promises';
import {CodedError, errorCode, hasCode} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {FluteReceiver} from '#native/flute/receiver.ts';
import type {FluteObject, FluteRange} from '#native/flute/receiver-event.ts';
import {type ArrivalRecord, isOpen} from '#stb/assemble/arrival.ts';
import {hashFile} from '#stb/assemble/decode-object.ts';
import {priorityRank} from '#stb/assemble/describe-arrival.ts';
import type {WholeArrival} from '#stb/assemble/store-arrival.ts';
import type {StbErrorCode} from '#stb/error-code.ts';
import type {RepairSource, RepairTarget} from '#stb/repair/repair-target.ts';
import type {Repairer} from '#stb/repair/repairer.ts';

export type ArrivalRepairParts = {
	readonly receiver: Pick<FluteReceiver, 'missing' | 'write'>;
	readonly repairer: Repairer;
	readonly repairSourceOf: (object: FluteObject) => RepairSource | undefined;
	readonly logger: Logger;
};

export type ArrivalRepair = {
	/** Fills an arrival's holes; answers the event that follows from it, if one does. */
	repair(record: ArrivalRecord, signal: AbortSignal): Promise<RepairResult>;
	/** Fetches what a player waits for; a failure is logged, and shows to the player as a longer wait. */
	fillNow(record: ArrivalRecord, range: FluteRange, signal: AbortSignal): Promise<void>;
};

export type RepairResult =
	/** The receiver has every byte and will say `complete` once it has verified them. */
	| {readonly kind: 'filled'}
	/** Fetched whole beside the receiver, and verified. */
	| {readonly kind: 'fetched'; readonly whole: WholeArrival}
	| {readonly kind: 'repair-failed'; readonly code: string; readonly final: boolean};

const playerRank = 0;
const busyPauseMs = 20;

/** Carries the repair of one arrival: by ranges into the receiver, or whole into a file where ranges make no sense. */
export const createArrivalRepair = (parts: ArrivalRepairParts): ArrivalRepair => ({
	repair: async (record, signal) => {
		try {
			const target = targetOf(parts, record, {rank: priorityRank[record.facts.priority], signal});
			if (record.facts.encoding === 'gzip') {
				return {kind: 'fetched', whole: await fetchBeside(parts, record, target, signal)};
			}
			await parts.repairer.fill(target, {signal});
			return {kind: 'filled'};
		} catch (error) {
			signal.throwIfAborted();
			const code = errorCode(error) ?? 'STB_REPAIR_INCOMPLETE';
			parts.logger.warn({err: error, uri: record.facts.uri}, 'repair failed');
			return {kind: 'repair-failed', code, final: hasCode(error, 'STB_REPAIR_CHANGED')};
		}
	},
	fillNow: async (record, range, signal) => {
		try {
			await parts.repairer.fillNow(targetOf(parts, record, {rank: playerRank, signal}), range, {signal});
		} catch (error) {
			if (!signal.aborted) {
				parts.logger.warn({err: error, uri: record.facts.uri, range}, 'repair for a waiting player failed');
			}
		}
	},
});

const targetOf = (
	{receiver, repairSourceOf}: ArrivalRepairParts,
	record: ArrivalRecord,
	{rank, signal}: {readonly rank: number; readonly signal: AbortSignal},
): RepairTarget => {
	const {uri, object, sizeBytes, entityTag} = record.facts;
	const source = repairSourceOf(object);
	if (source === undefined) {
		throw new CodedError<StbErrorCode>('STB_REPAIR_NO_SERVER', {
			message: 'No repair server is known for this object.',
			details: {uri},
		});
	}
	return {
		...{uri, rank, source, sizeBytes, entityTag},
		missing: () => (isOpen(record) ? receiver.missing(record.id) : []),
		write: async (offset, bytes) => {
			record.repairedBytes += bytes.length;
			await writeWhenRoom(receiver, record, {offset, bytes, signal});
		},
	};
};

/** The receiver takes only so many bytes ahead of its disk; a fast server is made to wait for it. */
const writeWhenRoom = async (
	receiver: ArrivalRepairParts['receiver'],
	record: ArrivalRecord,
	{offset, bytes, signal}: {readonly offset: number; readonly bytes: Uint8Array; readonly signal: AbortSignal},
): Promise<void> => {
	while (isOpen(record)) {
		try {
			receiver.write(record.id, offset, bytes);
			return;
		} catch (error) {
			if (!hasCode(error, 'NATIVE_FLUTE_BUSY')) {
				throw error;
			}
			await sleep(busyPauseMs, {signal});
		}
	}
};

/**
 * A compressed transport object cannot be patched: what the repair server holds are the identity bytes. They are fetched
 * whole, and believed only if they have the digest that the File-ETag tells.
 */
const fetchBeside = async (
	{repairer}: ArrivalRepairParts,
	record: ArrivalRecord,
	target: RepairTarget,
	signal: AbortSignal,
): Promise<WholeArrival> => {
	const path = `${record.facts.object.path}.repair`;
	try {
		await using file = await open(path, 'w');
		await repairer.fetchWhole(
			{
				...target,
				missing: () => [],
				write: async (offset, bytes) => {
					record.repairedBytes += bytes.length;
					await file.write(bytes, 0, bytes.length, offset);
				},
			},
			{signal},
		);
		const {sizeBytes, sha256} = await hashFile(path, {signal});
		if (sha256 !== record.facts.sha256) {
			throw new CodedError<StbErrorCode>('STB_REPAIR_CHANGED', {
				message: 'The repair server has another version of this object.',
				details: {uri: record.facts.uri},
			});
		}
		return {path, sizeBytes, sha256, repaired: true, encoding: 'identity'};
	} catch (error) {
		await rm(path, {force: true});
		throw error;
	}
};
