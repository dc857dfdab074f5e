import {z} from 'zod';

/** What a webhook receives, and what an e-mail is written from. */
export const notificationSchema = z.object({
	version: z.literal(1),
	kind: z.enum(['raised', 'cleared', 'test']),
	atMs: z.int(),
	/** Of which `alerts` names the first. */
	total: z.int(),
	alerts: z.array(
		z.object({
			id: z.string(),
			rule: z.string(),
			severity: z.string(),
			box: z.string().nullable(),
			site: z.string().nullable(),
			boxes: z.int().nullable(),
			message: z.string(),
			raisedMs: z.int(),
			clearedMs: z.int().nullable(),
		}),
	),
});
export type Notification = z.infer<typeof notificationSchema>;
