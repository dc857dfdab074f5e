import {z} from 'zod';
import {prioritySchema} from '#appliance/contract/catalogue-schema.ts';
import {titleSchema} from '#appliance/contract/title-schema.ts';
import {tunerStatusSchema} from '#appliance/contract/tuner-status-schema.ts';

const countSchema = z.int().min(0);

/** An object that is being received. Ranges are left out: `receivedRatio` and the block map draw it. */
export const arrivalSchema = z.strictObject({
	uri: z.string(),
	sizeBytes: countSchema,
	receivedBytes: countSchema,
	repairedBytes: countSchema,
	phase: z.enum(['receiving', 'repairing', 'verifying']),
	priority: prioritySchema,
	/** The object cut into at most 64 equal parts, each 0..1 complete. */
	blockMap: z.array(z.number().min(0).max(1)).max(64),
});
export type Arrival = z.infer<typeof arrivalSchema>;

/** Where a tuner is on its way to the carousel; its measures are those of `tunerStatusSchema`. */
export const tunerPhases = ['absent', 'idle', 'searching', 'announcing', 'acquiring', 'lost'] as const;

export const tunerWorkSchema = z.strictObject({
	phase: z.enum(tunerPhases),
	/** The carrier that is tuned to, or wanted again. */
	carrier: z
		.strictObject({frequencyKhz: z.int().min(1), polarization: z.string(), symbolRate: z.int().min(1)})
		.optional(),
	/** Above the threshold of an ideal receiver. */
	marginDb: z.number().optional(),
	/** From the order to tune to the lock. */
	lockMs: countSchema.optional(),
	/** Sections, packets and frames that were damaged, since the start. */
	sectionErrors: countSchema,
	sectionErrorsPerMinute: countSchema,
	/** Times that we read too slowly. */
	overruns: countSchema,
	droppedBytes: countSchema,
	/** Times that the carousel was lost. */
	losses: countSchema,
});

export const stbTunerSchema = tunerStatusSchema.extend({
	/** What the box does with it; absent where another only tells of a signal. */
	work: tunerWorkSchema.optional(),
});
export type StbTuner = z.infer<typeof stbTunerSchema>;

/** GET /box/status of a set-top box; the page, the demo and the NOC read it. */
export const stbStatusSchema = z.strictObject({
	version: z.literal(1),
	box: z.string(),
	nowMs: z.int(),
	tuned: z.strictObject({
		announced: z.boolean(),
		sessions: z.array(z.strictObject({group: z.string(), port: z.int(), tsi: z.int().optional()})),
	}),
	/** Absent for a box that has no tuner: its satellite comes over the network. */
	tuner: stbTunerSchema.optional(),
	receive: z.strictObject({
		packets: countSchema,
		bytes: countSchema,
		rateBps: z.number().min(0),
		kernelDrops: countSchema,
		malformedPackets: countSchema,
		fecRecoveredBytes: countSchema,
	}),
	objects: z.strictObject({
		received: countSchema,
		repaired: countSchema,
		failed: countSchema,
		arriving: z.array(arrivalSchema),
	}),
	repair: z.strictObject({
		requests: countSchema,
		bytes: countSchema,
		failures: countSchema,
		latencyMs: z.strictObject({p50: z.number(), p99: z.number()}),
	}),
	cache: z.strictObject({
		objects: countSchema,
		bytes: countSchema,
		budgetBytes: countSchema,
		hits: countSchema,
		misses: countSchema,
		hitRatio: z.number().min(0).max(1),
		evictions: countSchema,
	}),
	terrestrial: z.strictObject({requests: countSchema, bytes: countSchema, failures: countSchema}),
});
export type StbStatus = z.infer<typeof stbStatusSchema>;

/** One row of GET /box/cache?after=&limit=. */
export const cachedObjectSchema = z.strictObject({
	uri: z.string(),
	sizeBytes: countSchema,
	contentType: z.string(),
	priority: prioritySchema,
	sha256: z.string(),
	source: z.enum(['multicast', 'repaired', 'terrestrial']),
	pinned: z.boolean(),
	storedMs: z.int(),
	lastUsedMs: z.int(),
	expiresMs: z.int().optional(),
	freshUntilMs: z.int().optional(),
});
export type CachedObjectRow = z.infer<typeof cachedObjectSchema>;

/** GET /box/titles: what can be played; `cachedRatio` is the share of its known objects that lie in the cache. */
export const stbTitlesSchema = z.strictObject({
	titles: z.array(titleSchema.extend({playPath: z.string(), cachedObjects: countSchema})),
});
export type StbTitles = z.infer<typeof stbTitlesSchema>;
