import {z} from 'zod';
import {channelIdSchema} from '#headend/ingest/ingest-config-schema.ts';

/** A folder's `service.json`: what people call the title or channel whose manifests lie beside it. */
export const serviceFileName = 'service.json';
export const serviceFileBytesMax = 64 * 1024;

export const serviceFileSchema = z.strictObject({
	id: channelIdSchema.optional(),
	name: z.string().min(1).max(200),
	kind: z.enum(['live', 'vod']).optional(),
	description: z.string().max(2000).optional(),
	/** Relative to the folder, or an absolute http URI. */
	image: z.string().min(1).max(900).optional(),
	durationMs: z.int().min(0).optional(),
	channelNumber: z.int().min(1).max(9999).optional(),
});
export type ServiceFile = z.infer<typeof serviceFileSchema>;
