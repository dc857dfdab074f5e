import {z} from 'zod';
import {commissionReportSchema} from '#appliance/contract/fleet/commission-report-schema.ts';
import {updateStatusSchema} from '#appliance/contract/fleet/update-schema.ts';

const spoolHead = {
	version: z.literal(1),
	/** Of the spool: a box whose spool was lost begins a new epoch at sequence 1. */
	epoch: z.string().min(1).max(64),
	/** 1, 2, 3, … within the epoch and the topic, without holes but those that a `telemetry-gap` event names. */
	sequence: z.int().min(1),
	/**
	 * The record of this topic that the box still keeps and sends before this one; 0 when it keeps none. A server at
	 * position p takes a record when `after <= p < sequence`: it jumps what the box had to forget, is not fooled by records
	 * that overtake each other between shared subscriptions, and so may acknowledge all up to `sequence`.
	 */
	after: z.int().min(0),
};

export const metricNameSchema = z.string().regex(/^[a-z][a-z0-9_]{0,63}$/u);
export const samplesPerBatchMax = 240;

/** Topic `telemetry`: a batch of samples. Names end in their unit (`disk_free_bytes`, `temperature_celsius`). */
export const telemetrySchema = z.object({
	...spoolHead,
	samples: z
		.array(z.object({atMs: z.int(), values: z.record(metricNameSchema, z.number())}))
		.min(1)
		.max(samplesPerBatchMax),
});
export type Telemetry = z.infer<typeof telemetrySchema>;
export type TelemetrySample = Telemetry['samples'][number];

export const severities = ['info', 'warning', 'critical'] as const;

/** What happened once on a box. `data` is for people and rules; those that the fleet acts on have a schema here. */
export const boxEventSchema = z.discriminatedUnion('kind', [
	z.object({kind: z.literal('update'), data: updateStatusSchema}),
	z.object({
		kind: z.literal('boot'),
		data: z.object({
			bootId: z.string().max(64),
			release: z.string().max(256),
			/** Why it booted, as far as it can be known: an order, an update, a watchdog, a loss of power, a panic. */
			cause: z.enum(['unknown', 'command', 'update', 'fallback', 'watchdog', 'power', 'panic']),
			detail: z.string().max(2048).optional(),
		}),
	}),
	z.object({
		kind: z.literal('service'),
		data: z.object({
			service: z.string().max(64),
			state: z.enum(['crashed', 'crash-loop', 'recovered']),
			detail: z.string().max(2048),
		}),
	}),
	z.object({
		kind: z.literal('alarm'),
		data: z.object({
			alarm: z.string().max(64),
			raised: z.boolean(),
			message: z.string().max(1024),
			value: z.number().optional(),
		}),
	}),
	z.object({
		kind: z.literal('order-refused'),
		data: z.object({code: z.string().max(64), message: z.string().max(1024)}),
	}),
	z.object({
		kind: z.literal('telemetry-gap'),
		data: z.object({fromSequence: z.int(), toSequence: z.int(), fromMs: z.int(), toMs: z.int()}),
	}),
	/** A technician has put the box up, and this is what was found. */
	z.object({kind: z.literal('commissioned'), data: commissionReportSchema}),
	/** Quality of experience, as players report it to the box (playback-report.ts). */
	z.object({kind: z.literal('qoe'), data: z.record(z.string(), z.json())}),
	z.object({kind: z.literal('note'), data: z.record(z.string(), z.json())}),
]);
export type BoxEvent = z.infer<typeof boxEventSchema>;

/** Topic `event`. */
export const eventSchema = z.object({
	...spoolHead,
	atMs: z.int(),
	severity: z.enum(severities),
	event: boxEventSchema,
});
export type SpooledEvent = z.infer<typeof eventSchema>;

/** Topic `acknowledged`: all up to and including these are in the fleet's database, and the box may forget them. */
export const acknowledgedSchema = z.object({
	version: z.literal(1),
	epoch: z.string().min(1).max(64),
	telemetry: z.int().min(0).optional(),
	event: z.int().min(0).optional(),
});
export type Acknowledged = z.infer<typeof acknowledgedSchema>;
