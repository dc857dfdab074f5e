import {z} from 'zod';
import {boxKindSchema, deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {updateStatusSchema} from '#appliance/contract/fleet/update-schema.ts';

const text = z.string().max(256);

export const slotReportSchema = z.object({
	name: z.string().max(64),
	state: z.enum(['booted', 'inactive']),
	/** RAUC's boot status: the boot loader may choose it. */
	status: z.enum(['good', 'bad', 'unknown']),
	release: text.optional(),
	sha256: text.optional(),
});
export type SlotReport = z.infer<typeof slotReportSchema>;

export const serviceReportSchema = z.object({
	name: z.string().max(64),
	state: z.enum(['stopped', 'starting', 'running', 'stopping', 'waiting']),
	restarts: z.int().min(0),
	crashLoop: z.boolean(),
	mustRun: z.boolean(),
});

/** Topic `reported`, retained: what the box is and runs. Sent when it differs from what was last acknowledged. */
export const reportedSchema = z.object({
	version: z.literal(1),
	deviceId: deviceIdSchema,
	kind: boxKindSchema,
	/** Grows with each report of this box, across boots. */
	revision: z.int().min(1),
	/** The `desired` order that was last kept. 0 = none yet. */
	desiredRevision: z.int().min(0),
	bootId: z.string().max(64),
	bootedMs: z.int(),
	/** The release that really runs. */
	release: text,
	hardware: z.object({
		model: text,
		serial: text.optional(),
		cpu: text,
		cpuCount: z.int().min(1),
		memoryBytes: z.int().min(0),
		diskBytes: z.int().min(0),
	}),
	timeZone: z.string().max(64),
	addresses: z.array(z.object({interface: z.string().max(64), address: z.string().max(64)})).max(64),
	slots: z.array(slotReportSchema).max(8),
	services: z.array(serviceReportSchema).max(64),
	healthy: z.boolean(),
	/** Why it is not healthy, for people. */
	reasons: z.array(z.string().max(512)).max(16),
	update: updateStatusSchema,
	config: z.object({
		overlayRevision: z.int().min(0),
		/** Why the overlay of `desired` was not taken, when it was not. */
		refused: z.string().max(2048).optional(),
	}),
	certificate: z.object({serial: text, notAfterMs: z.int()}),
});
export type Reported = z.infer<typeof reportedSchema>;

/** What the role and supervisor know at the moment; `revision`, `version` and the like are added by the link. */
export type ReportedFacts = Omit<Reported, 'version' | 'revision' | 'deviceId' | 'kind' | 'desiredRevision'>;
