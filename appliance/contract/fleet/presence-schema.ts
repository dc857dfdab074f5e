import {z} from 'zod';

/** Topic `presence`, retained; the offline one is the session's will. */
export const presenceSchema = z.object({
	version: z.literal(1),
	state: z.enum(['online', 'offline']),
	/** New at each boot of the box. */
	bootId: z.string().min(1).max(64),
	/** New at each connection: a will that arrives after the next connection's `online` is told from it by this. */
	sessionId: z.string().min(1).max(64),
	sinceMs: z.int(),
});
export type Presence = z.infer<typeof presenceSchema>;
