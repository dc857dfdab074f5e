import {z} from 'zod';
import {prioritySchema} from '#appliance/contract/catalogue-schema.ts';

const countSchema = z.int().min(0);

/** GET /status of a headend, and each `data:` of GET /events. */
export const headendStatusSchema = z.strictObject({
	version: z.literal(1),
	box: z.string(),
	nowMs: z.int(),
	uplink: z.strictObject({
		group: z.string(),
		port: z.int(),
		rateBps: countSchema,
		/** Measured over the last seconds, IP layer. */
		sentBps: z.number().min(0),
		sentBytes: countSchema,
		sentPackets: countSchema,
		/** |sent - ordered| / ordered over the spans in which there was always something to send. */
		rateErrorRatio: z.number().min(0),
	}),
	/** How the bits of the transponder are spent; absent on a network without one. */
	link: z
		.strictObject({
			form: z.enum(['ip', 'mpe', 'gse', 'iq']),
			encapsulation: z.enum(['mpe', 'gse']),
			frequencyKhz: countSchema,
			polarization: z.string(),
			symbolRateSps: countSchema,
			bandwidthHz: z.number(),
			/** Such as `8PSK 3/4`. */
			modcod: z.string(),
			frame: z.string(),
			pilots: z.boolean(),
			/** Es/N0 that a receiver without any loss of its own needs. */
			thresholdDb: z.number().optional(),
			bitRateBps: z.number(),
			/** Bits per symbol. */
			efficiency: z.number(),
			ipRateBps: countSchema,
			objectsBps: z.number(),
			/** What left in another form than IP, since the headend began or was tuned anew. */
			output: z
				.strictObject({
					datagrams: countSchema,
					carrierBytes: countSchema,
					stuffingBytes: countSchema,
					/** More came than the transponder carries. */
					droppedDatagrams: countSchema,
					/** Times that the machine was so late that the output had a gap. */
					underruns: countSchema,
					lostBytes: countSchema,
				})
				.optional(),
			/** From the outside in; they add up to symbol rate times bits per symbol. */
			layers: z.array(z.strictObject({layer: z.string(), bps: z.number().min(0)})).max(32),
		})
		.optional(),
	carousel: z.strictObject({
		cycleMs: countSchema,
		/** 0..1 of the running cycle. */
		position: z.number().min(0).max(1),
		cycles: countSchema,
		objectsSent: countSchema,
		objects: countSchema,
		bytes: countSchema,
		/** Share of the rate that the plan uses, by priority. */
		load: z.array(z.strictObject({priority: prioritySchema, share: z.number(), usedRatio: z.number()})),
		/** What does not fit into the cycle, and why. */
		doesNotFit: z.array(z.strictObject({path: z.string(), sizeBytes: countSchema, reason: z.string()})),
	}),
	onAir: z.array(
		z.strictObject({
			path: z.string(),
			priority: prioritySchema,
			toi: countSchema,
			sizeBytes: countSchema,
			sentRatio: z.number().min(0).max(1),
		}),
	),
	/** Objects by the time until each is on air next; at most 100 of them. */
	next: z.array(
		z.strictObject({path: z.string(), priority: prioritySchema, sizeBytes: countSchema, inMs: countSchema}),
	),
	live: z.array(
		z.strictObject({channel: z.string(), lastSegmentMs: z.int(), segments: countSchema, bitrateBps: z.number()}),
	),
});
export type HeadendStatus = z.infer<typeof headendStatusSchema>;
