import {z} from 'zod';

/** A thing that a subscriber can press play on: a live channel or a title on demand. */
export const titleSchema = z.strictObject({
	id: z.string().min(1).max(200),
	kind: z.enum(['live', 'vod']),
	name: z.string().min(1).max(200),
	description: z.string().max(2000).optional(),
	/** Logo or poster, an object URI. */
	imageUri: z.string().max(1024).optional(),
	durationMs: z.int().min(0).optional(),
	channelNumber: z.int().min(1).max(9999).optional(),
	/** The presentation manifests by preference; object URIs under http://dvb.gw/. */
	manifests: z
		.array(
			z.strictObject({
				uri: z.string().max(1024),
				contentType: z.enum(['application/vnd.apple.mpegurl', 'application/dash+xml']),
			}),
		)
		.min(1)
		.max(8),
});
export type Title = z.infer<typeof titleSchema>;

/**
 * The list of titles, carouselled beside the DVB-I service list as `<objectBaseUri>signalling/titles.json`; DVB-I knows
 * channels, and has no place for what is on demand without a content guide.
 */
export const titleListSchema = z.strictObject({
	version: z.literal(1),
	titles: z.array(titleSchema).max(10_000),
});
export type TitleList = z.infer<typeof titleListSchema>;
