import {z} from 'zod';
import {desiredSchema} from '#appliance/contract/fleet/desired-schema.ts';
import {signedOrderSchema} from '#appliance/contract/fleet/order-schema.ts';
import {reasonSchema} from '#appliance/contract/fleet/release-schema.ts';

/** What a supervisor asks: one line of JSON. Nothing of it is believed but what the fleet signed. */
export const elevationRequestSchema = z.strictObject({
	order: signedOrderSchema,
	keyChain: desiredSchema.shape.keyChain,
	/** Of /dev/pts, on which the shell is to sit. */
	terminal: z.int().min(0).max(9999),
});
export type ElevationRequest = z.input<typeof elevationRequestSchema>;

/** The answer, one line as well. */
export const elevationAnswerSchema = z.discriminatedUnion('kind', [
	z.strictObject({kind: z.literal('opened')}),
	z.strictObject({kind: z.literal('refused'), reason: reasonSchema}),
]);
export type ElevationAnswer = z.infer<typeof elevationAnswerSchema>;

/** The orders of a chain, and the one that is asked with, at their longest. */
export const elevationRequestBytesMax = 5 * 1024 ** 2;
