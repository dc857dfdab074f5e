import {z} from 'zod';
import {sha256Schema} from '#appliance/contract/catalogue-schema.ts';

/** GET /signalling of a headend: what the announcement channel repeats, so that what arrived can be compared with it. */
export const signallingListSchema = z.strictObject({
	version: z.literal(1),
	objects: z.array(z.strictObject({uri: z.string(), sizeBytes: z.int().min(0), sha256: sha256Schema})),
});
export type SignallingList = z.infer<typeof signallingListSchema>;
