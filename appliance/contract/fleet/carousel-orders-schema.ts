import {z} from 'zod';
import {keyChainMax} from '#appliance/contract/fleet/desired-schema.ts';
import {signedOrderSchema} from '#appliance/contract/fleet/order-schema.ts';

/** Orders that the carousel carries at a time: one per group of each rollout that is under way. */
export const carouselOrdersMax = 256;

/**
 * The catalogue object `http://dvb.gw/<operator>/release/orders.json`: the orders for boxes that may have no return path.
 * Each is of kind `update`, for a share of the boxes that match a filter. One that vanishes was withdrawn.
 */
export const carouselOrdersSchema = z.strictObject({
	version: z.literal(1),
	/** Every `rotate-key` order since the factory key, oldest first, as in `desired`. */
	keyChain: z.array(signedOrderSchema).max(keyChainMax),
	orders: z.array(signedOrderSchema).max(carouselOrdersMax),
});
export type CarouselOrders = z.infer<typeof carouselOrdersSchema>;
