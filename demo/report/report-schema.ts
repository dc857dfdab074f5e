import {z} from 'zod';

const countSchema = z.int().min(0);
const ratioSchema = z.number().min(0);

const playbackSchema = z.strictObject({
	titleId: z.string(),
	/** From pressing play to the first frame; null if there was none. */
	startupMs: z.number().min(0).nullable(),
	stalls: countSchema,
	stalledMs: z.number().min(0),
	framesDecoded: countSchema,
	framesDropped: countSchema,
	playedMs: z.number().min(0),
	/** Loads that failed and were tried again. */
	retries: countSchema,
	error: z.string().optional(),
});
export type PlaybackResult = z.infer<typeof playbackSchema>;

/** What `./streamverse demo --for … --report FILE` writes. */
export const demoReportSchema = z.strictObject({
	version: z.literal(1),
	startedAt: z.iso.datetime(),
	durationMs: countSchema,
	seed: z.int(),
	objects: z.strictObject({
		/** Transmissions that the headend finished. */
		sent: countSchema,
		received: countSchema,
		repaired: countSchema,
		failed: countSchema,
		/** Read back from the set-top and compared with the source. */
		checked: countSchema,
		identical: countSchema,
		/** Of those checked, files of the announcement. */
		signalling: countSchema,
		/** In the set-top's cache without any source. */
		unknown: countSchema,
		gone: countSchema,
		different: z.array(z.string()),
	}),
	bytes: z.strictObject({
		multicast: countSchema,
		repaired: countSchema,
		fecRecovered: countSchema,
		terrestrial: countSchema,
	}),
	loss: z.strictObject({
		injectedRatio: ratioSchema,
		packets: countSchema,
		lostPackets: countSchema,
		fadedPackets: countSchema,
		kernelDrops: countSchema,
	}),
	repair: z.strictObject({
		requests: countSchema,
		failures: countSchema,
		latencyMs: z.strictObject({p50: z.number(), p99: z.number()}),
	}),
	playback: z.strictObject({vod: playbackSchema, live: playbackSchema}),
	cache: z.strictObject({hitRatio: ratioSchema, hits: countSchema, misses: countSchema, objects: countSchema}),
	carousel: z.strictObject({rateErrorRatio: ratioSchema, rateBps: countSchema}),
	/** Boxes of the demo, those that enrolled, and those that the fleet sees online with what they run. */
	fleet: z.strictObject({boxes: countSchema, enrolled: countSchema, online: countSchema}),
	/** Only with `--update`. Bytes are what the updated boxes fetched. */
	update: z
		.strictObject({
			release: z.string(),
			bundleBytes: countSchema,
			/** A threshold paused the rollout when a box had failed. */
			stoppedByItself: z.boolean(),
			waves: z.array(
				z.strictObject({
					name: z.string(),
					boxes: z.array(z.string()),
					confirmed: countSchema,
					rolledBack: countSchema,
					/** Why boxes did not keep it, as they told. */
					reasons: z.array(z.string()),
				}),
			),
			bytesUnicast: countSchema,
			bytesMulticast: countSchema,
		})
		.optional(),
	/** Only with `--uplink` of another form than IP: what the dish made of the signal. */
	signal: z
		.strictObject({
			form: z.enum(['mpe', 'gse', 'iq']),
			modcod: z.string(),
			carrierBytes: countSchema,
			datagrams: countSchema,
			/** Everything that was wrong with the stream, and what this machine was too slow to take of it. */
			damage: countSchema,
			kernelDrops: countSchema,
			/** That the headend had no room for. */
			droppedDatagrams: countSchema,
		})
		.optional(),
	ok: z.boolean(),
	/** Why it is not ok; empty when it is. */
	reasons: z.array(z.string()),
});
export type DemoReport = z.infer<typeof demoReportSchema>;
