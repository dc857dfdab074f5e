import type {MaintenanceWindow} from '#appliance/contract/fleet/order-schema.ts';
import type {Reason} from '#appliance/contract/fleet/release-schema.ts';
import {finalUpdatePhases, type UpdatePhase, type UpdateStatus} from '#appliance/contract/fleet/update-schema.ts';
import {backoffMs} from '#appliance/time/backoff.ts';
import type {RolloutBoxState, RolloutSpec} from '#ota/contract/rollout-api.ts';
import {parseOrderId} from '#ota/fleet/rollout/order-id.ts';
import {type OpenPhase, phaseDeadlineMs} from '#ota/fleet/rollout/phase-deadline.ts';

/** Where one box of a rollout stands. */
export type BoxProgress = {
	readonly state: RolloutBoxState;
	readonly phase: UpdatePhase | null;
	/** Orders it was given so far. */
	readonly attempt: number;
	readonly reason: Reason | null;
	/** By the box's clock. */
	readonly sinceMs: number;
	readonly nextMs: number | null;
};

export type JudgeContext = {
	readonly rollout: string;
	readonly spec: RolloutSpec;
	/** The rollout's, or else those of the box's site. */
	readonly windows: readonly MaintenanceWindow[] | null;
	readonly timeZone: string;
	readonly nowMs: number;
	readonly random?: () => number;
};

/** What a box said: the status of an update, and, when it was in a report, the release that it really runs. */
export type BoxWord = {readonly status: UpdateStatus; readonly running: string | undefined};

/** While one of these lasts, the release that runs is on trial. */
export const trialPhases: readonly UpdatePhase[] = ['installing', 'rebooting', 'confirming'];

/**
 * What a box's word changes; undefined = nothing. The fleet believes what boxes say, not what it ordered: a box that runs
 * the release is done, whoever brought it (a USB stick, another order), and one that was given up and then confirms was
 * given up in error. Nothing is done before it is confirmed, nor when a report, of which the fleet takes the newest alone,
 * names our order as confirmed and another release as running.
 */
export const judgeStatus = (row: BoxProgress, word: BoxWord, context: JudgeContext): BoxProgress | undefined => {
	const {status, running} = word;
	const order = status.orderId === undefined ? undefined : parseOrderId(status.orderId);
	const isOurs = order?.rollout === context.rollout;
	if (running === context.spec.release && !trialPhases.includes(status.phase)) {
		return row.state === 'done' ? undefined : done(row, status);
	}
	if (!isOurs || order.attempt < row.attempt || order.attempt > Math.max(row.attempt, 1)) {
		return undefined;
	}
	// An order of the carousel may be taken before this box's own was given: then this is its first.
	const adopted = row.attempt === 0 ? {...row, attempt: 1} : row;
	if (status.phase === 'confirmed' && running !== undefined) {
		return fellBack(adopted, {status, running}, context);
	}
	if (adopted.attempt === row.attempt && isLate(row, status)) {
		return undefined;
	}
	return judgeOurs(adopted, status, context);
};

/**
 * A spooled event may be older than a report that came before it. By the box's clock, which a bad release may have set
 * years ahead: the end of an attempt comes after all else of it, whatever the clock said.
 */
const isLate = (row: BoxProgress, {phase, sinceMs}: UpdateStatus): boolean =>
	sinceMs < row.sinceMs && (!isFinal(phase) || isFinal(row.phase));

const isFinal = (phase: UpdatePhase | null): boolean => finalUpdatePhases.some((final) => final === phase);

const judgeOurs = (row: BoxProgress, status: UpdateStatus, context: JudgeContext): BoxProgress | undefined => {
	switch (status.phase) {
		case 'idle':
			return undefined;
		case 'confirmed':
			// Of a box that has fallen back since, an event that comes late is no news: its report says what runs.
			return row.state === 'done' || row.reason?.code === fellBackCode ? undefined : done(row, status);
		case 'refused':
		case 'rolled-back':
			return ended(row, status, {context, isRetryable: false});
		case 'failed':
			return ended(row, status, {context, isRetryable: true});
		default:
			return going(row, {...status, phase: status.phase}, context);
	}
};

const fellBackCode = 'OTA_ROLLOUT_FELL_BACK';

/** Its boot loader went back after all, as when power goes three times in a row before a boot is marked good. */
const fellBack = (
	row: BoxProgress,
	{status, running}: {readonly status: UpdateStatus; readonly running: string},
	context: JudgeContext,
): BoxProgress | undefined => {
	const message = `The box had confirmed ${context.spec.release} and runs ${running} now.`;
	const end: UpdateStatus = {...status, phase: 'rolled-back', reason: {code: fellBackCode, message}};
	return ended(row, end, {context, isRetryable: false});
};

const done = (row: BoxProgress, {sinceMs}: UpdateStatus): BoxProgress => ({
	...row,
	state: 'done',
	phase: 'confirmed',
	reason: null,
	sinceMs: Math.max(row.sinceMs, sinceMs),
	nextMs: null,
});

const ended = (
	row: BoxProgress,
	status: UpdateStatus,
	{context, isRetryable}: {readonly context: JudgeContext; readonly isRetryable: boolean},
): BoxProgress | undefined => {
	const told = {
		...row,
		phase: status.phase,
		reason: status.reason ?? {code: 'OTA_ROLLOUT_UNEXPLAINED', message: 'The box did not say why.'},
		sinceMs: status.sinceMs,
		nextMs: null,
	};
	if (row.state === 'retrying' || row.state === 'withdrawn' || row.state === 'skipped') {
		return undefined;
	}
	if (row.state === 'failed') {
		// Given up before: now the reason is known, but it is not another failure.
		return row.phase === status.phase ? undefined : told;
	}
	// Who was done and then fell back counts as failed, and gets no second order by itself.
	const {retry} = context.spec;
	return isRetryable && row.state !== 'done' && row.attempt < retry.attemptsMax
		? {...told, state: 'retrying', nextMs: context.nowMs + retryDelayMs(row.attempt, context)}
		: {...told, state: 'failed'};
};

const going = (
	row: BoxProgress,
	status: UpdateStatus & {readonly phase: NonNullable<OpenPhase>},
	context: JudgeContext,
): BoxProgress | undefined => {
	if ((row.state !== 'ordered' && row.state !== 'waiting') || (row.phase === status.phase && row.state === 'ordered')) {
		return undefined;
	}
	return {
		...row,
		state: 'ordered',
		phase: status.phase,
		sinceMs: status.sinceMs,
		nextMs: phaseDeadlineMs(status.phase, {...context, deadlines: context.spec.deadlines}),
	};
};

export const retryDelayMs = (attempt: number, {spec: {retry}, random}: Pick<JudgeContext, 'spec' | 'random'>): number =>
	backoffMs(Math.max(0, attempt - 1), {
		initialMs: retry.initialMs,
		maxMs: retry.maxMs,
		...(random === undefined ? {} : {random}),
	});
