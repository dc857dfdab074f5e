import {z} from 'zod';

/** A key that signs or has signed the fleet's orders; the last one signs now. */
export const orderKeyViewSchema = z.object({
	kid: z.string().max(128),
	sinceMs: z.int(),
	/** When the next key took over; null = it signs now. */
	untilMs: z.int().nullable(),
});

/** GET /order-keys (viewer), oldest first; POST /order-key/rotate (admin) answers the same. */
export const orderKeyListSchema = z.object({items: z.array(orderKeyViewSchema)});
