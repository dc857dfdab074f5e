import {z} from 'zod';

/** A channel's id is a path segment of every object it sends. */
export const channelIdSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/u, 'must be 1 to 64 of a-z, 0-9 and -');

export const ingestConfigSchema = z.strictObject({
	channelsMax: z.int().min(1).max(1000).default(64),
	channelObjectsMax: z.int().min(16).default(4096).describe('Live objects kept of one channel.'),
	objectBytesMax: z
		.int()
		.min(1024)
		.default(64 * 2 ** 20),
	windowMs: z.int().min(5000).default(120_000).describe('A live segment leaves the catalogue after this.'),
	segmentDurationMs: z.int().min(200).default(2000).describe('Typical; manifests are fresh for two of them.'),
	manifestRefreshMs: z.int().min(200).default(1000).describe('How often the newest manifests are sent again.'),
	initRefreshMs: z.int().min(200).default(2000).describe('How often initialisation segments are sent again.'),
	segmentRepeats: z.int().min(1).max(4).default(1).describe('Transmissions of each live segment.'),
	channels: z
		.array(
			z.strictObject({
				id: channelIdSchema,
				name: z.string().min(1).max(200),
				description: z.string().max(2000).optional(),
				channelNumber: z.int().min(1).max(9999).optional(),
			}),
		)
		.max(1000)
		.default([])
		.describe('Names and numbers; a channel that is not listed is named by its id.'),
});
export type IngestConfig = z.infer<typeof ingestConfigSchema>;
