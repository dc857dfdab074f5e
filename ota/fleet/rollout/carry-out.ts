import type {Transaction} from 'kysely';
import {type DeviceId, deviceIdSchema} from '#appliance/contract/box-schema.ts';
import type {UpdateOrder} from '#appliance/contract/fleet/order-schema.ts';
import type {Reason} from '#appliance/contract/fleet/release-schema.ts';
import type {RolloutState} from '#ota/contract/rollout-api.ts';
import type {OrderDesk} from '#ota/fleet/order/order-desk.ts';
import {retryDelayMs} from '#ota/fleet/rollout/judge-status.ts';
import {phaseDeadlineMs} from '#ota/fleet/rollout/phase-deadline.ts';
import type {RolloutStep} from '#ota/fleet/rollout/plan-rollout.ts';
import type {ViewedRollout} from '#ota/fleet/rollout/read-rollout-view.ts';
import {formatReason} from '#ota/fleet/rollout/rollout-rows.ts';
import {chunksOf} from '#ota/fleet/store/chunks-of.ts';
import type {FleetTables} from '#ota/fleet/store/fleet-database.ts';

export type CarryOutContext = {
	readonly transaction: Transaction<FleetTables>;
	readonly rollout: ViewedRollout;
	readonly desk: OrderDesk;
	readonly orderOf: (attempt: number) => Promise<UpdateOrder>;
	readonly nowMs: number;
};

type StepOf<Kind extends RolloutStep['kind']> = Extract<RolloutStep, {kind: Kind}>;

/**
 * Does what was planned, within the transaction in which it was planned. Each change of a box says from which state it
 * comes: what boxes said in the meantime stands, and an order is given only to a row that was still free for it.
 */
export const carryOut = async (context: CarryOutContext, steps: readonly RolloutStep[]): Promise<void> => {
	await giveOrders(
		context,
		steps.filter((step) => step.kind === 'order'),
	);
	for (const step of steps) {
		switch (step.kind) {
			case 'order':
				break;
			case 'begin':
				await changeState(context, 'running', null);
				break;
			case 'pause':
				await changeState(context, 'paused', step.reason);
				break;
			case 'abort':
				await abortRollout(context, step.reason);
				break;
			case 'finish':
				await changeState(context, 'finished', null);
				break;
			case 'start-group':
				await changeGroup(context, step.ordinal, {state: 'running', started_ms: context.nowMs});
				break;
			case 'finish-group':
				await changeGroup(context, step.ordinal, {state: 'done', ended_ms: context.nowMs});
				break;
			case 'give-up':
				await giveUp(context, step);
				break;
			case 'settle':
				await settle(context, step);
		}
	}
};

const giveOrders = async (context: CarryOutContext, steps: readonly StepOf<'order'>[]): Promise<void> => {
	const {transaction, rollout, nowMs} = context;
	const deadlines = rollout.spec.deadlines;
	const nextMs = phaseDeadlineMs(null, {nowMs, deadlines, windows: null, timeZone: 'UTC'});
	for (const [attempt, ofAttempt] of Map.groupBy(steps, (step) => step.attempt)) {
		const ordered: DeviceId[] = [];
		for (const chunk of chunksOf(ofAttempt.map(({box}) => box).sort())) {
			const rows = await transaction
				.updateTable('rollout_box')
				.set({
					state: 'ordered',
					attempt,
					phase: null,
					reason: null,
					ordered_ms: nowMs,
					since_ms: 0,
					changed_ms: nowMs,
					next_ms: nextMs,
				})
				.where('rollout', '=', rollout.id)
				.where('box', 'in', chunk)
				.where('state', 'in', ['waiting', 'retrying'])
				.where('attempt', '=', attempt - 1)
				.returning('box')
				.execute();
			ordered.push(...rows.map(({box}) => deviceIdSchema.parse(box)));
		}
		if (ordered.length > 0) {
			await context.desk.setUpdate(transaction, ordered, await context.orderOf(attempt));
		}
	}
};

const giveUp = async (context: CarryOutContext, step: StepOf<'give-up'>): Promise<void> => {
	const {transaction, rollout, nowMs, desk} = context;
	const nextMs = step.outcome === 'retrying' ? nowMs + retryDelayMs(step.attempt, {spec: rollout.spec}) : null;
	const changed = await transaction
		.updateTable('rollout_box')
		.set({state: step.outcome, reason: formatReason(step.reason), changed_ms: nowMs, next_ms: nextMs})
		.where('rollout', '=', rollout.id)
		.where('box', '=', step.box)
		.where('state', '=', 'ordered')
		.where('attempt', '=', step.attempt)
		.where('next_ms', '<=', nowMs)
		.returning('box')
		.execute();
	if (changed.length > 0 && step.withdraw) {
		await desk.setUpdate(transaction, [deviceIdSchema.parse(step.box)], undefined);
	}
};

/** Only who runs the release, and not on trial, is done without a word of this rollout: it has confirmed it. */
const settle = async ({transaction, rollout, nowMs}: CarryOutContext, step: StepOf<'settle'>): Promise<void> => {
	await transaction
		.updateTable('rollout_box')
		.set({
			state: step.state,
			...(step.state === 'done' ? {phase: 'confirmed'} : {}),
			reason: formatReason(step.reason),
			changed_ms: nowMs,
			next_ms: null,
		})
		.where('rollout', '=', rollout.id)
		.where('box', '=', step.box)
		.where('state', 'in', ['waiting', 'retrying'])
		.execute();
};

/** Takes back every order whose box has not begun to install; those that have are followed to their end. */
export const abortRollout = async (context: Omit<CarryOutContext, 'orderOf'>, reason: Reason): Promise<void> => {
	const {transaction, rollout, nowMs, desk} = context;
	await changeState(context, 'aborted', reason);
	const withdrawn = {state: 'withdrawn', reason: formatReason(reason), changed_ms: nowMs, next_ms: null};
	const rows = await transaction
		.updateTable('rollout_box')
		.set(withdrawn)
		.where('rollout', '=', rollout.id)
		.where('state', '=', 'ordered')
		.where(({eb, or}) => or([eb('phase', 'is', null), eb('phase', 'in', ['accepted', 'fetching', 'verified'])]))
		.returning('box')
		.execute();
	await transaction
		.updateTable('rollout_box')
		.set(withdrawn)
		.where('rollout', '=', rollout.id)
		.where('state', 'in', ['waiting', 'retrying'])
		.execute();
	if (rows.length > 0) {
		const boxes = rows.map(({box}) => deviceIdSchema.parse(box));
		await desk.setUpdate(transaction, boxes, undefined);
	}
};

export const changeState = async (
	{transaction, rollout, nowMs}: Pick<CarryOutContext, 'transaction' | 'rollout' | 'nowMs'>,
	state: RolloutState,
	reason: Reason | null,
): Promise<void> => {
	await transaction
		.updateTable('rollout')
		.set((set) => ({
			state,
			reason: formatReason(reason),
			edit_version: set('edit_version', '+', 1),
			...(state === 'running' ? {started_ms: set.fn.coalesce('started_ms', set.val(nowMs))} : {}),
			ended_ms: state === 'finished' || state === 'aborted' || state === 'rejected' ? nowMs : null,
		}))
		.where('id', '=', rollout.id)
		.execute();
};

const changeGroup = async (
	{transaction, rollout}: CarryOutContext,
	ordinal: number,
	change: {readonly state: string; readonly started_ms?: number; readonly ended_ms?: number},
): Promise<void> => {
	await transaction
		.updateTable('rollout_group')
		.set(change)
		.where('rollout', '=', rollout.id)
		.where('ordinal', '=', ordinal)
		.execute();
};
