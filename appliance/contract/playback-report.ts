import {z} from 'zod';

const countSchema = z.int().min(0);

/**
 * What the subscriber's page knows about its player: `window.streamverse.playback`, read anew each time. The demo
 * measures by it in a headless browser, and a NOC can ask a viewer's browser for it.
 */
export const playbackReportSchema = z.strictObject({
	version: z.literal(1),
	state: z.enum(['idle', 'starting', 'playing', 'paused', 'stalled', 'ended', 'failed']),
	titleId: z.string().optional(),
	kind: z.enum(['live', 'vod']).optional(),
	/** From pressing play to the first frame on the screen. */
	startupMs: z.number().min(0).optional(),
	/** Times that the picture stood still after the first frame without the viewer's doing. */
	stalls: countSchema,
	stalledMs: z.number().min(0),
	framesDecoded: countSchema,
	framesDropped: countSchema,
	currentTimeMs: z.number().min(0),
	/** Media that lies ready after the current time. */
	bufferedAheadMs: z.number().min(0),
	/** Distance to the newest media of a live channel. */
	liveLatencyMs: z.number().optional(),
	heightPixels: countSchema.optional(),
	bitrateBps: z.number().min(0).optional(),
	/** Loads that failed and were tried again. */
	retries: countSchema,
	muted: z.boolean(),
	error: z.strictObject({code: z.string(), message: z.string()}).optional(),
});
export type PlaybackReport = z.infer<typeof playbackReportSchema>;

/** `window.streamverse` of the subscriber's page. */
export type StreamversePage = {
	readonly playback: PlaybackReport;
	readonly play: (titleId: string) => void;
	readonly stop: () => void;
};
