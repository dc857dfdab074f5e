import type {Arrival, StbStatus, StbTuner} from '#appliance/contract/stb-status-schema.ts';
import type {Clock} from '#appliance/time/clock.ts';
import type {FluteReceiver} from '#native/flute/receiver.ts';
import {type ArrivalRecord, hasBegun} from '#stb/assemble/arrival.ts';
import type {Assembler} from '#stb/assemble/assembler.ts';
import type {ObjectCache} from '#stb/cache/object-cache.ts';
import type {Tuning} from '#stb/receive/tuning.ts';
import type {Repairer} from '#stb/repair/repairer.ts';
import {blockMap} from '#stb/status/block-map.ts';
import {createRateMeter} from '#stb/status/rate-meter.ts';

/** What serving counts; `terrestrial` is what misses cost. */
export type ServingCounts = {
	readonly hits: number;
	readonly misses: number;
	readonly terrestrial: {readonly requests: number; readonly bytes: number; readonly failures: number};
};

export type StatusParts = {
	readonly box: string;
	readonly receiver: Pick<FluteReceiver, 'stats' | 'missing'>;
	readonly assembler: Pick<Assembler, 'list' | 'counts'>;
	readonly repairer: Pick<Repairer, 'stats'>;
	readonly cache: Pick<ObjectCache, 'stats'>;
	readonly tuning: Pick<Tuning, 'announced' | 'endpoints'>;
	readonly serving: () => ServingCounts;
	/** Absent for a box that has no tuner. */
	readonly tuner?: () => StbTuner;
	readonly clock: Clock;
};

/** Arrivals told of at most; more than a page or a person can take in. */
const arrivalsMax = 50;

/** Answers a function that reads the box's state of now into the shape of the contract. */
export const createStatusReader = (parts: StatusParts): (() => StbStatus) => {
	const {receiver, assembler, repairer, cache, tuning, clock} = parts;
	const meter = createRateMeter({clock});
	return () => {
		const {packets, bytes, kernelDrops, malformedPackets, fecRecoveredBytes} = receiver.stats();
		const {received, repaired, failed} = assembler.counts;
		const serving = parts.serving();
		const {objects, bytes: cachedBytes, budgetBytes, evictions} = cache.stats();
		const asked = serving.hits + serving.misses;
		return {
			version: 1,
			box: parts.box,
			nowMs: clock.nowMs(),
			tuned: {
				announced: tuning.announced,
				sessions: tuning.endpoints().map(({group, port, tsi}) => ({group, port, ...(tsi === undefined ? {} : {tsi})})),
			},
			...(parts.tuner === undefined ? {} : {tuner: parts.tuner()}),
			receive: {packets, bytes, rateBps: meter.rateBps(bytes), kernelDrops, malformedPackets, fecRecoveredBytes},
			objects: {received, repaired, failed, arriving: readArrivals(assembler.list(), receiver)},
			repair: repairer.stats(),
			cache: {
				...{objects, bytes: cachedBytes, budgetBytes, evictions},
				...{hits: serving.hits, misses: serving.misses},
				hitRatio: asked === 0 ? 0 : serving.hits / asked,
			},
			terrestrial: serving.terrestrial,
		};
	};
};

const readArrivals = (records: readonly ArrivalRecord[], receiver: StatusParts['receiver']): Arrival[] =>
	records
		.filter((record) => record.facts.kind === 'content' && hasBegun(record))
		.slice(-arrivalsMax)
		.flatMap((record) => readArrival(record, receiver) ?? []);

const readArrival = (record: ArrivalRecord, receiver: StatusParts['receiver']): Arrival | undefined => {
	const {facts, state, repairedBytes} = record;
	const {transferLength} = facts.object;
	switch (state.kind) {
		case 'stored':
		case 'failed':
			return undefined;
		case 'receiving':
		case 'repairing':
		case 'verifying': {
			const missing = state.kind === 'verifying' ? [] : receiver.missing(record.id);
			return {
				uri: facts.uri,
				sizeBytes: transferLength,
				receivedBytes: state.kind === 'verifying' ? transferLength : Math.min(transferLength, state.receivedBytes),
				repairedBytes,
				phase: state.kind,
				priority: facts.priority,
				blockMap: [...blockMap(missing, transferLength)],
			};
		}
	}
};
