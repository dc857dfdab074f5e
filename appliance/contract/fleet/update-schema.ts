import {z} from 'zod';
import {reasonSchema, releaseVersionSchema} from '#appliance/contract/fleet/release-schema.ts';

/** The phases of the agent's state machine (design.md section 6), as it tells them to the fleet. */
export const updatePhases = [
	'idle',
	'accepted',
	'fetching',
	'verified',
	'installing',
	'rebooting',
	'confirming',
	'confirmed',
	'refused',
	'failed',
	'rolled-back',
] as const;
export const updatePhaseSchema = z.enum(updatePhases);
export type UpdatePhase = z.infer<typeof updatePhaseSchema>;

/** A phase after which nothing more happens for this order. */
export const finalUpdatePhases = [
	'confirmed',
	'refused',
	'failed',
	'rolled-back',
] as const satisfies readonly UpdatePhase[];

const bytesSchema = z.int().min(0);

/** Where the bytes of a bundle came from; what was unicast is what the order's budget counts. */
export const fetchedBytesSchema = z.object({
	carousel: bytesSchema.describe('Taken from the cache that the satellite fills.'),
	local: bytesSchema.describe('Blocks that the box already had.'),
	unicast: bytesSchema.describe('By HTTPS ranges.'),
});
export type FetchedBytes = z.infer<typeof fetchedBytesSchema>;

/** Where an update stands: part of `reported`, and the data of an `update` event. */
export const updateStatusSchema = z.object({
	phase: updatePhaseSchema,
	/** Names the order: the rollout that gave it, or the carousel's order. Absent when idle. */
	orderId: z.string().max(64).optional(),
	release: releaseVersionSchema.optional(),
	/** Why it was refused, failed or rolled back; kept across the reboot. */
	reason: reasonSchema.optional(),
	attempt: z.int().min(1).optional(),
	totalBytes: bytesSchema.optional(),
	bytes: fetchedBytesSchema.optional(),
	sinceMs: z.int(),
});
export type UpdateStatus = z.infer<typeof updateStatusSchema>;
