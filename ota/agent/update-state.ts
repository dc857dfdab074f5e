import {z} from 'zod';
import {updateOrderSchema} from '#appliance/contract/fleet/order-schema.ts';
import {reasonSchema} from '#appliance/contract/fleet/release-schema.ts';
import {fetchedBytesSchema, type UpdatePhase, type UpdateStatus} from '#appliance/contract/fleet/update-schema.ts';
import {orderOrigins} from '#ota/agent/order-origin.ts';

const count = z.int().min(0);

/** What stays the same, or only grows, while one order is worked on. */
const jobSchema = z.strictObject({
	order: updateOrderSchema,
	origin: z.enum(orderOrigins),
	expiresMs: z.int().optional(),
	attempt: z.int().min(1),
	/** Of the state machine, for this order. */
	steps: count,
	/** Starts of the agent since the phase began or got on. */
	restarts: count,
	/** Of the boot in which the phase began. */
	bootId: z.string(),
	/** As it was when last looked at; the live figure is the fetch's. */
	bytes: fetchedBytesSchema,
});
export type UpdateJob = z.infer<typeof jobSchema>;

const active = {job: jobSchema, sinceMs: z.int()};
/** The slot that ran when installing began: whoever boots another one boots the new release. */
const slotted = {...active, fromSlot: z.string().max(64)};
const ended = {
	orderId: z.string(),
	origin: z.enum(orderOrigins),
	release: updateOrderSchema.shape.release,
	attempt: z.int().min(1),
	bytes: fetchedBytesSchema,
	sinceMs: z.int(),
};

/** The agent's state, as it lies on disk. Phases of the contract, and three in which a way back is under way. */
export const updateStateSchema = z.discriminatedUnion('kind', [
	z.strictObject({kind: z.literal('idle'), sinceMs: z.int()}),
	/** Judged, and then waiting for the order's time or for the back-off. */
	z.strictObject({kind: z.literal('accepted'), ...active, notBeforeMs: z.int().optional(), judged: z.boolean()}),
	z.strictObject({kind: z.literal('fetching'), ...active}),
	/** Waits for a window. */
	z.strictObject({kind: z.literal('verified'), ...active}),
	z.strictObject({kind: z.literal('installing'), ...slotted}),
	/** The slot that may have been made next must not be booted; only then it is tried again or has failed. */
	z.strictObject({
		kind: z.literal('cancelling'),
		...slotted,
		reason: reasonSchema,
		retry: z.boolean(),
		tries: count,
	}),
	z.strictObject({kind: z.literal('rebooting'), ...slotted, tries: count}),
	/** Without `fromSlot` the release ran already when it was ordered, and there is nothing to fall back to. */
	z.strictObject({kind: z.literal('confirming'), ...active, fromSlot: z.string().max(64).optional(), boots: count}),
	/** The checks have passed; the slot is being marked good. */
	z.strictObject({kind: z.literal('committing'), ...slotted, tries: count}),
	/** The checks have failed; the slot is being marked bad, and the old one booted. */
	z.strictObject({kind: z.literal('reverting'), ...slotted, reason: reasonSchema, tries: count}),
	z.strictObject({kind: z.literal('confirmed'), ...ended}),
	z.strictObject({kind: z.literal('refused'), ...ended, reason: reasonSchema}),
	z.strictObject({kind: z.literal('failed'), ...ended, reason: reasonSchema}),
	z.strictObject({kind: z.literal('rolled-back'), ...ended, reason: reasonSchema}),
]);
export type UpdateState = z.infer<typeof updateStateSchema>;

export type ActiveState = Extract<UpdateState, {job: UpdateJob}>;
export type EndedState = Extract<UpdateState, {kind: 'confirmed' | 'refused' | 'failed' | 'rolled-back'}>;

export const isActive = (state: UpdateState): state is ActiveState => 'job' in state;
export const isEnded = (state: UpdateState): state is EndedState => !isActive(state) && state.kind !== 'idle';

/** The order that a state is about. */
export const orderIdOf = (state: UpdateState): string | undefined =>
	isActive(state) ? state.job.order.orderId : state.kind === 'idle' ? undefined : state.orderId;

/** As long as the new slot was not booted an order can be taken back. */
export const isAbortable = (state: UpdateState): boolean =>
	state.kind === 'accepted' ||
	state.kind === 'fetching' ||
	state.kind === 'verified' ||
	state.kind === 'installing' ||
	state.kind === 'rebooting';

const phaseOf = (state: UpdateState): UpdatePhase => {
	switch (state.kind) {
		case 'cancelling':
			return 'installing';
		case 'committing':
		case 'reverting':
			return 'confirming';
		default:
			return state.kind;
	}
};

/** What the fleet is told. */
export const statusOf = (state: UpdateState): UpdateStatus => {
	const phase = phaseOf(state);
	if (state.kind === 'idle') {
		return {phase, sinceMs: state.sinceMs};
	}
	const reason = 'reason' in state ? {reason: state.reason} : {};
	if (!isActive(state)) {
		const {orderId, release, attempt, bytes, sinceMs} = state;
		return {phase, orderId, release, attempt, bytes, sinceMs, ...reason};
	}
	const {order, attempt, bytes} = state.job;
	return {phase, orderId: order.orderId, release: order.release, attempt, bytes, sinceMs: state.sinceMs, ...reason};
};
