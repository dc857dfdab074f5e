import {z} from 'zod';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {siteIdSchema} from '#ota/contract/box-api.ts';
import {pageOf, pageQuerySchema} from '#ota/contract/page-api.ts';

export const alertRules = [
	'box-dark',
	'crash-loop',
	'disk',
	'temperature',
	'signal',
	'update-failed',
	'certificate-expiry',
	'site-dark',
	'outbox-full',
] as const;
export const alertRuleSchema = z.enum(alertRules);
export type AlertRule = z.infer<typeof alertRuleSchema>;

export const alertSeverities = ['warning', 'critical'] as const;

export const alertSchema = z.object({
	id: z.string(),
	rule: alertRuleSchema,
	severity: z.enum(alertSeverities),
	/** Null when it is about a site or the server itself. */
	box: deviceIdSchema.nullable(),
	site: siteIdSchema.nullable(),
	message: z.string(),
	value: z.number().nullable(),
	state: z.enum(['raised', 'cleared']),
	raisedMs: z.int(),
	changedMs: z.int(),
	clearedMs: z.int().nullable(),
	/** How often it was raised since it is open; more than one says that it flaps. */
	count: z.int(),
	acknowledged: z.object({by: z.string(), atMs: z.int(), note: z.string()}).nullable(),
	/** A mute covers it at the moment: nobody is notified. */
	muted: z.boolean(),
	/** The alert of the site that speaks for this one, when many boxes went dark together. */
	groupId: z.string().nullable(),
	/** For `site-dark`: boxes that it speaks for. */
	boxes: z.int().nullable(),
});
export type Alert = z.infer<typeof alertSchema>;

/** GET /alerts, newest first. */
export const alertQuerySchema = pageQuerySchema.extend({
	state: z.enum(['raised', 'cleared', 'all']).default('raised'),
	rule: alertRuleSchema.optional(),
	severity: z.enum(alertSeverities).optional(),
	box: deviceIdSchema.optional(),
	site: siteIdSchema.optional(),
	acknowledged: z.enum(['true', 'false']).optional(),
});
export const alertPageSchema = pageOf(alertSchema);

/** POST /alerts/{id}/acknowledge (operator): no reminder follows; it clears by itself when its cause is gone. */
export const alertAcknowledgeSchema = z.strictObject({note: z.string().max(1024).default('')});

/** GET /alert-mutes, POST /alert-mutes (operator), DELETE /alert-mutes/{id} (operator). */
export const alertMuteCreateSchema = z.strictObject({
	rule: alertRuleSchema.nullable(),
	/** Language of appliance/filter over boxes; empty = every box. */
	filter: z.string().max(2048),
	untilMs: z.int(),
	reason: z.string().min(1).max(1024),
});
export const alertMuteSchema = z.object({
	...alertMuteCreateSchema.shape,
	id: z.string(),
	by: z.string(),
	createdMs: z.int(),
});
export type AlertMute = z.infer<typeof alertMuteSchema>;
export const alertMutePageSchema = pageOf(alertMuteSchema);

/** GET /alert-rules; PUT /alert-rules/{rule} (admin). Units of the thresholds are those that `unit` says. */
export const alertRuleSettingsSchema = z.object({
	rule: alertRuleSchema,
	enabled: z.boolean(),
	severity: z.enum(alertSeverities),
	unit: z.enum(['ms', 'bytes', 'celsius', 'decibel', 'percent', 'none']),
	/** Raised beyond it, and cleared only beyond the other: what lies between changes nothing (hysteresis). */
	raiseAt: z.number().nullable(),
	clearAt: z.number().nullable(),
	/** How long it must last before it is raised, and before it is cleared. */
	raiseAfterMs: z.int(),
	clearAfterMs: z.int(),
});
export type AlertRuleSettings = z.infer<typeof alertRuleSettingsSchema>;
export const alertRuleListSchema = z.object({items: z.array(alertRuleSettingsSchema)});
export const alertRuleParametersSchema = z.strictObject({rule: alertRuleSchema});
export const alertRulePutSchema = z.strictObject({
	enabled: z.boolean(),
	severity: z.enum(alertSeverities),
	raiseAt: z.number().nullable(),
	clearAt: z.number().nullable(),
	raiseAfterMs: z.int().min(0).max(86_400_000),
	clearAfterMs: z.int().min(0).max(86_400_000),
});

const channelTarget = z.discriminatedUnion('kind', [
	z.strictObject({kind: z.literal('webhook'), url: z.url({protocol: /^https?$/u}).max(2048)}),
	z.strictObject({kind: z.literal('email'), to: z.array(z.email()).min(1).max(16)}),
]);
/** POST /alert-channels (admin): where alerts go. A webhook's secret is shown once, in the answer. */
export const alertChannelCreateSchema = z.strictObject({
	name: z.string().min(1).max(128),
	severityMin: z.enum(alertSeverities).default('warning'),
	target: channelTarget,
});
export const alertChannelSchema = z.object({
	id: z.string(),
	name: z.string(),
	severityMin: z.enum(alertSeverities),
	target: channelTarget,
	createdMs: z.int(),
	lastSentMs: z.int().nullable(),
	lastError: z.string().nullable(),
	/** Notifications that wait to be sent. */
	waiting: z.int(),
});
export type AlertChannel = z.infer<typeof alertChannelSchema>;
/** GET /alert-channels (admin), DELETE /alert-channels/{id}, POST /alert-channels/{id}/test. */
export const alertChannelPageSchema = pageOf(alertChannelSchema);
export const alertChannelCreatedSchema = z.object({channel: alertChannelSchema, secret: z.string().nullable()});
