import {z} from 'zod';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {tagSchema} from '#ota/contract/box-api.ts';
import {commandRequestSchema} from '#ota/contract/command-api.ts';

/** What is done to more boxes than this is a rollout's or a script's work. */
export const bulkBoxesMax = 2000;
const bulkTagsMax = 32;

/** Which boxes: those that are named, or those that the filter finds when the request arrives. */
export const bulkTargetSchema = z.discriminatedUnion('kind', [
	z.strictObject({kind: z.literal('ids'), ids: z.array(deviceIdSchema).min(1).max(bulkBoxesMax)}),
	/** Language of appliance/filter; boxes that are revoked are passed over. More than `bulkBoxesMax` are refused. */
	z.strictObject({kind: z.literal('filter'), filter: z.string().max(2048)}),
]);
export type BulkTarget = z.infer<typeof bulkTargetSchema>;

export const bulkActionSchema = z.discriminatedUnion('kind', [
	commandRequestSchema.extend({kind: z.literal('command')}),
	z.strictObject({
		kind: z.literal('change-tags'),
		add: z.array(tagSchema).max(bulkTagsMax).default([]),
		remove: z.array(tagSchema).max(bulkTagsMax).default([]),
	}),
]);
export type BulkAction = z.output<typeof bulkActionSchema>;

/**
 * POST /bulk-actions (operator; some commands need more): one thing done to many boxes, one after another. Each box has its
 * own rows in the audit log, as if it had been asked for alone.
 */
export const bulkRequestSchema = z.strictObject({target: bulkTargetSchema, action: bulkActionSchema});
export type BulkRequest = z.input<typeof bulkRequestSchema>;

/**
 * The answer is application/x-ndjson, one of these a line, each written as it becomes true: the first says how many boxes
 * there are, the last how it ended. Who leaves before the last line stops what is left; an answer without it is incomplete.
 */
export const bulkLineSchema = z.discriminatedUnion('kind', [
	z.strictObject({kind: z.literal('begin'), boxes: z.int().min(0)}),
	/** `command` is the id to ask for at GET /commands/{id}. */
	z.strictObject({kind: z.literal('done'), box: deviceIdSchema, command: z.string().nullable()}),
	z.strictObject({kind: z.literal('refused'), box: deviceIdSchema, code: z.string(), message: z.string()}),
	z.strictObject({kind: z.literal('end'), doneCount: z.int().min(0), refusedCount: z.int().min(0)}),
]);
export type BulkLine = z.infer<typeof bulkLineSchema>;
export const bulkContentType = 'application/x-ndjson';
