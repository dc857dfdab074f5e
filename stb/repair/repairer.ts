import {CodedError, errorCode, hasCode} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {backoffMs} from '#appliance/time/backoff.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {FluteRange} from '#native/flute/receiver-event.ts';
import type {StbConfig} from '#stb/config-schema.ts';
import type {StbErrorCode} from '#stb/error-code.ts';
import {intersectRange, planRanges} from '#stb/repair/plan-ranges.ts';
import {createRepairBudget, type RepairBudget} from '#stb/repair/repair-budget.ts';
import {createRepairClient, type RepairClient} from '#stb/repair/repair-client.ts';
import type {RepairStats, RepairTarget} from '#stb/repair/repair-target.ts';
import {createRequestSlots, type RequestSlots} from '#stb/repair/request-slots.ts';

type Wait = {readonly signal: AbortSignal};

export type Repairer = {
	/** Waits the back-off of clause 9, then fills every hole; rejects when it must give the object up. */
	fill(target: RepairTarget, options: Wait): Promise<void>;
	/**
	 * Fills the holes of one range for a player that waits. The long random back-off of clause 9 keeps a million boxes
	 * that lost the same packets from asking at once; a player's wait is rarer and is spread by the players themselves,
	 * so that a short random delay is enough.
	 */
	fillNow(target: RepairTarget, range: FluteRange, options: Wait): Promise<void>;
	/** Fetches the object from its first byte to its last, for what cannot be patched (a compressed transport object). */
	fetchWhole(target: RepairTarget, options: Wait): Promise<void>;
	stats(): RepairStats;
};

/** The receiver's thread takes written bytes a moment later; how long and how often we look whether it did. */
const takenTimeoutMs = 500;
const takenPollMs = 10;
/** Rounds in which each brought something; stops a server that drips a byte at a time. */
const roundsMax = 64;
/** Answers `another version` after which this version is given up: a server may lag one synchronisation behind. */
const changedMax = 2;
const budgetPollMinMs = 100;
/**
 * The receiver counts whole symbols, so that the ends of a waiting player's range are asked for with what a packet holds
 * beyond them; if that was too little, with the largest symbol that UDP can carry.
 */
const marginBytes = 2048;
const marginBytesMax = 65_536;

type Round = {readonly target: RepairTarget; readonly signal: AbortSignal} & (
	| {readonly kind: 'background'}
	| {readonly kind: 'waiting'; readonly range: FluteRange}
	| {readonly kind: 'whole'}
);

type Parts = {
	readonly config: StbConfig['repair'];
	readonly clock: Clock;
	readonly logger: Logger;
	readonly random: () => number;
	readonly client: RepairClient;
	readonly budget: RepairBudget;
	readonly slots: RequestSlots;
	readonly waitingSlots: RequestSlots;
};

export const createRepairer = (options: {
	readonly config: StbConfig['repair'];
	readonly clock: Clock;
	readonly logger: Logger;
	readonly random?: () => number;
}): Repairer => {
	const {config, clock, logger, random = Math.random} = options;
	const parts: Parts = {
		...{config, clock, logger, random},
		client: createRepairClient({config, clock, logger, random}),
		budget: createRepairBudget({bytesPerHour: config.budgetBytesPerHour, clock}),
		slots: createRequestSlots({slotsMax: config.requestsConcurrentMax}),
		waitingSlots: createRequestSlots({slotsMax: config.waitingRequestsMax}),
	};
	const backOff = async ({source}: RepairTarget, wait: Wait): Promise<void> => {
		await sleep(source.fixedBackOffMs + source.randomBackOffMs * random(), wait);
	};
	return {
		fill: async (target, {signal}) => {
			await backOff(target, {signal});
			await run(parts, {kind: 'background', target, signal});
		},
		fillNow: async (target, range, {signal}) => {
			await sleep(config.waitingBackOffMs * random(), {signal});
			await run(parts, {kind: 'waiting', range, target, signal});
		},
		fetchWhole: async (target, {signal}) => {
			await backOff(target, {signal});
			await run(parts, {kind: 'whole', target, signal});
		},
		stats: () => parts.client.stats(),
	};
};

/** What is still to be asked for; `undefined` is the whole object. */
const rangesOf = ({config}: Parts, round: Round, margin: number): readonly (FluteRange | undefined)[] => {
	const {missing, sizeBytes} = round.target;
	if (round.kind === 'whole' || sizeBytes === undefined) {
		return [undefined];
	}
	const holes = round.kind === 'waiting' ? intersectRange(missing(), widen(round.range, margin)) : missing();
	const plan = planRanges({...config, missing: holes, sizeBytes});
	switch (plan.kind) {
		case 'nothing':
			return [];
		case 'whole':
			return [undefined];
		case 'ranges':
			return plan.ranges;
	}
};

const widen = ({offset, length}: FluteRange, bytes: number): FluteRange => ({
	offset: offset - bytes,
	length: length + 2 * bytes,
});

const isFilled = (round: Round): boolean => {
	const missing = round.target.missing();
	return (round.kind === 'waiting' ? intersectRange(missing, round.range) : missing).length === 0;
};

/** The subscriber's picture comes first: what a player waits for is counted, and never refused. */
const spend = async ({budget, config}: Parts, {kind, signal}: Round, bytes: number): Promise<void> => {
	if (kind === 'waiting') {
		budget.takeAnyway(bytes);
		return;
	}
	while (!budget.take(bytes)) {
		await sleep(Math.min(Math.max(budget.waitMs(bytes), budgetPollMinMs), config.retryDelayMaxMs), {signal});
	}
};

const runRound = async (parts: Parts, round: Round, margin: number): Promise<'done' | 'again'> => {
	const {target, signal} = round;
	const ranges = rangesOf(parts, round, margin);
	const slots = round.kind === 'waiting' ? parts.waitingSlots : parts.slots;
	for (const range of ranges) {
		await spend(parts, round, range?.length ?? target.sizeBytes ?? 0);
		await askCounted(parts, round, range, slots);
	}
	if (round.kind === 'whole') {
		return 'done';
	}
	const deadlineMs = parts.clock.monotonicMs() + takenTimeoutMs;
	while (!isFilled(round)) {
		if (parts.clock.monotonicMs() > deadlineMs) {
			return 'again';
		}
		await sleep(takenPollMs, {signal});
	}
	return 'done';
};

/** A request that fails gives back what it did not bring, so that an outage does not use up the hour. */
const askCounted = async (
	{budget, client}: Parts,
	{target, signal}: Round,
	range: FluteRange | undefined,
	slots: RequestSlots,
): Promise<void> => {
	let leftBytes = range?.length ?? target.sizeBytes ?? 0;
	const write: RepairTarget['write'] = async (offset, bytes) => {
		leftBytes -= bytes.length;
		await target.write(offset, bytes);
	};
	try {
		using _slot = await slots.acquire({rank: target.rank, signal});
		await client.ask({...target, write}, range, {signal});
	} catch (error) {
		budget.giveBack(Math.max(0, leftBytes));
		throw error;
	}
};

/** Rounds until nothing is missing. A round that brought bytes is no failure, however it ended. */
const run = async (parts: Parts, round: Round): Promise<void> => {
	const {config, logger, random} = parts;
	const {target, signal} = round;
	const missingBytes = (): number => target.missing().reduce((sum, {length}) => sum + length, 0);
	let [failed, changed] = [0, 0];
	for (let rounds = 0; rounds < roundsMax; rounds += 1) {
		const before = missingBytes();
		let cause: unknown = incomplete(target.uri);
		try {
			if ((await runRound(parts, round, failed === 0 ? marginBytes : marginBytesMax)) === 'done') {
				return;
			}
		} catch (error) {
			signal.throwIfAborted();
			cause = error;
		}
		changed += hasCode(cause, 'STB_REPAIR_CHANGED') ? 1 : 0;
		failed += missingBytes() < before ? 0 : 1;
		const mayRetry = changed > 0 ? changed < changedMax : cause instanceof CodedError && cause.retryable;
		if (!mayRetry || failed >= config.attemptsMax) {
			throw cause;
		}
		logger.debug({uri: target.uri, code: errorCode(cause), failed}, 'repair round failed');
		const {retryDelayMinMs: initialMs, retryDelayMaxMs: maxMs} = config;
		await sleep(backoffMs(failed, {initialMs, maxMs, random}), {signal});
	}
	throw incomplete(target.uri);
};

const incomplete = (uri: string): CodedError<StbErrorCode> =>
	new CodedError<StbErrorCode>('STB_REPAIR_INCOMPLETE', {
		message: 'The repair servers’ bytes do not fill this object’s holes.',
		details: {uri},
		retryable: true,
	});
