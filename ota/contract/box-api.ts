import {z} from 'zod';
import {boxKindSchema, boxKinds, deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {maintenanceWindowSchema} from '#appliance/contract/fleet/order-schema.ts';
import {reasonSchema} from '#appliance/contract/fleet/release-schema.ts';
import {reportedSchema} from '#appliance/contract/fleet/reported-schema.ts';
import {severities} from '#appliance/contract/fleet/spool-schema.ts';
import {updatePhaseSchema} from '#appliance/contract/fleet/update-schema.ts';
import {pageOf, pageQuerySchema} from '#ota/contract/page-api.ts';

export const boxHealths = ['ok', 'warning', 'critical', 'unknown'] as const;
export const boxPresences = ['online', 'offline', 'never'] as const;
export const tagSchema = z.string().regex(/^[a-z0-9][a-z0-9._:-]{0,63}$/u);
export const siteIdSchema = z.string().regex(/^[a-z0-9-]{1,64}$/u);

export const boxSummarySchema = z.object({
	id: deviceIdSchema,
	kind: boxKindSchema,
	site: siteIdSchema.nullable(),
	tags: z.array(tagSchema),
	model: z.string(),
	serial: z.string(),
	release: z.string(),
	presence: z.enum(boxPresences),
	lastSeenMs: z.int().nullable(),
	health: z.enum(boxHealths),
	update: z.object({
		phase: updatePhaseSchema,
		orderId: z.string().nullable(),
		release: z.string().nullable(),
		reason: reasonSchema.nullable(),
	}),
	timeZone: z.string(),
	enrolledMs: z.int(),
	revokedMs: z.int().nullable(),
});
export type BoxSummary = z.infer<typeof boxSummarySchema>;

/** GET /boxes/{id}; its ETag is the edit version that PATCH wants in If-Match. */
export const boxDetailSchema = boxSummarySchema.extend({
	reported: reportedSchema.nullable(),
	desiredRevision: z.int(),
	desiredKeptRevision: z.int(),
	/** The config overlay that the fleet wants on this box. */
	config: z.record(z.string(), z.json()),
});
export type BoxDetail = z.infer<typeof boxDetailSchema>;

export const boxSortColumns = ['id', 'kind', 'site', 'release', 'presence', 'lastSeenMs', 'health', 'model'] as const;

/** GET /boxes. `filter` is the language of appliance/filter; `sort` is a column, `-` for downwards. */
export const boxQuerySchema = pageQuerySchema.extend({
	filter: z.string().max(2048).default(''),
	sort: z.enum([...boxSortColumns, ...boxSortColumns.map((column) => `-${column}` as const)]).default('id'),
});
export const boxExportQuerySchema = z.strictObject({
	filter: boxQuerySchema.shape.filter,
	sort: boxQuerySchema.shape.sort,
	format: z.enum(['csv', 'json']).default('csv'),
});
export const boxPageSchema = pageOf(boxSummarySchema);

/** PATCH /boxes/{id} (operator). */
export const boxPatchSchema = z.strictObject({
	site: siteIdSchema.nullable().optional(),
	tags: z.array(tagSchema).max(32).optional(),
	config: z.record(z.string(), z.json()).optional(),
});

export const siteSchema = z.object({
	id: siteIdSchema,
	name: z.string().min(1).max(128),
	latitude: z.number().min(-90).max(90),
	longitude: z.number().min(-180).max(180),
	timeZone: z.string().max(64),
	windows: z.array(maintenanceWindowSchema).max(14).nullable(),
});
export type Site = z.infer<typeof siteSchema>;

const counts = z.record(z.string(), z.int());

/** GET /overview: what the wall shows. */
export const overviewSchema = z.object({
	nowMs: z.int(),
	boxes: z.int(),
	online: z.int(),
	byHealth: z.record(z.enum(boxHealths), z.int()),
	byKind: z.record(z.enum(boxKinds), z.object({boxes: z.int(), online: z.int(), byHealth: counts, byRelease: counts})),
	sites: z.array(
		siteSchema
			.pick({id: true, name: true, latitude: true, longitude: true, timeZone: true})
			.extend({boxes: z.int(), online: z.int(), warning: z.int(), critical: z.int()}),
	),
	updating: z.int(),
	/** Alerts that are raised and not acknowledged. */
	alerts: z.object({warning: z.int(), critical: z.int()}),
});
export type Overview = z.infer<typeof overviewSchema>;

/** GET /boxes/{id}/telemetry: at most `points` points, the lowest and highest value of equal intervals. */
export const telemetryQuerySchema = z.strictObject({
	metrics: z.string().max(1024).optional().describe('Names, separated by commas; default all.'),
	fromMs: z.coerce.number().int(),
	toMs: z.coerce.number().int(),
	points: z.coerce.number().int().min(10).max(2000).default(400),
});
export const telemetryAnswerSchema = z.object({
	atMs: z.array(z.int()),
	/** Each as long as `atMs`; null where nothing was measured. */
	metrics: z.record(z.string(), z.array(z.number().nullable())),
});
export type TelemetryAnswer = z.infer<typeof telemetryAnswerSchema>;

export const boxEventRowSchema = z.object({
	sequence: z.int(),
	atMs: z.int(),
	severity: z.enum(severities),
	kind: z.string(),
	data: z.json(),
});
export const boxEventPageSchema = pageOf(boxEventRowSchema);

/** GET /live, server-sent events: what changed, so that a page asks again. At most one message per kind and 500 ms. */
export const liveChangeSchema = z.object({
	kind: z.enum(['boxes', 'rollouts', 'releases', 'alerts', 'commands', 'audit', 'diagnostics', 'accounts']),
	/** Ids that changed; absent when they are too many to name. */
	ids: z.array(z.string()).max(200).optional(),
});
export type LiveChange = z.infer<typeof liveChangeSchema>;
