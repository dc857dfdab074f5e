import {z} from 'zod';
import {reasonSchema} from '#appliance/contract/fleet/release-schema.ts';

/** Most characters of one data frame, and of what may be under way unacknowledged in one direction. */
export const frameCharsMax = 16 * 1024;
export const windowCharsMax = 256 * 1024;

/**
 * Topics `stream/<id>/in` and `…/out`. Data frames are numbered per direction from 1; each side acknowledges what it has
 * consumed, the other keeps what is not acknowledged and sends it again after a lost link (`resume`).
 */
export const streamFrameSchema = z.discriminatedUnion('kind', [
	z.object({kind: z.literal('data'), sequence: z.int().min(1), text: z.string().max(frameCharsMax)}),
	z.object({kind: z.literal('ack'), sequence: z.int().min(0)}),
	/** After a reconnect: send again what comes after this sequence. */
	z.object({kind: z.literal('resume'), after: z.int().min(0)}),
	z.object({kind: z.literal('resize'), columns: z.int().min(20).max(500), rows: z.int().min(5).max(200)}),
	z.object({kind: z.literal('close'), reason: reasonSchema}),
]);
export type StreamFrame = z.infer<typeof streamFrameSchema>;
