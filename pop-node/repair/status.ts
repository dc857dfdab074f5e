import {z} from 'zod';

const countSchema = z.int().min(0);

/** GET /status of a pop-node. */
export const popNodeStatusSchema = z.strictObject({
	version: z.literal(1),
	box: z.string(),
	nowMs: z.int(),
	follow: z.discriminatedUnion('kind', [
		z.strictObject({kind: z.literal('syncing'), objects: countSchema}),
		z.strictObject({kind: z.literal('following'), revision: countSchema}),
		z.strictObject({kind: z.literal('waiting'), failure: z.string(), attempt: countSchema}),
	]),
	store: z.strictObject({
		/** Objects of the catalogue. */
		known: countSchema,
		/** Of those, on disk in their newest version. */
		stored: countSchema,
		/** Of those, without room. */
		skipped: countSchema,
		bytes: countSchema,
		budgetBytes: countSchema,
		evictions: countSchema,
	}),
	ingest: z.strictObject({
		active: countSchema,
		objects: countSchema,
		bytes: countSchema,
		failures: countSchema,
	}),
	requests: z.strictObject({
		requests: countSchema,
		bytes: countSchema,
		ranges: countSchema,
		refused: countSchema,
		limited: countSchema,
	}),
});
export type PopNodeStatus = z.infer<typeof popNodeStatusSchema>;
