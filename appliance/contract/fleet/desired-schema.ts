import {z} from 'zod';
import {signedOrderSchema} from '#appliance/contract/fleet/order-schema.ts';

/** Rotations that a box may have missed; more would mean that it was away for years. */
export const keyChainMax = 32;

/** Topic `desired`, retained: the box's whole desired state as one signed order of kind `desired`. */
export const desiredSchema = z.strictObject({
	version: z.literal(1),
	/** Every `rotate-key` order since the factory key, oldest first: a box that was away walks along it. */
	keyChain: z.array(signedOrderSchema).max(keyChainMax),
	order: signedOrderSchema,
});
export type Desired = z.infer<typeof desiredSchema>;
