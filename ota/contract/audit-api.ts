import {z} from 'zod';
import {pageOf, pageQuerySchema} from '#ota/contract/page-api.ts';

/**
 * An act is written down before it is tried (`begun`), and once more with what came of it. `begun` without another row
 * that names it: it is under way, or its server ended half-way and nobody knows how far it came.
 */
export const auditOutcomes = ['begun', 'done', 'refused', 'failed'] as const;

/** One row of the append-only log: who did what to which box, from where, and what came of it. */
export const auditRecordSchema = z.object({
	sequence: z.int(),
	atMs: z.int(),
	actorId: z.string(),
	actorName: z.string(),
	actorRole: z.string(),
	/** The operation's id, such as `createRollout`; what the server does by itself has names of its own. */
	action: z.string(),
	method: z.string(),
	path: z.string(),
	box: z.string().nullable(),
	outcome: z.enum(auditOutcomes),
	/** 0 while it is only begun. */
	status: z.int(),
	/** Of the refusal. */
	code: z.string().nullable(),
	address: z.string(),
	/** The request's content, bounded and without secrets. */
	detail: z.json(),
	/** Of an outcome: the row by which the act began. Null for what was refused before it began. */
	intent: z.int().nullable(),
	/** SHA-256 over this row and the hash of the one before: a row that was changed or taken out shows. */
	hash: z.string(),
});
export type AuditRecord = z.infer<typeof auditRecordSchema>;

const auditFilter = {
	box: z.string().max(64).optional(),
	actor: z.string().max(128).optional().describe('Name or id.'),
	action: z.string().max(64).optional(),
	outcome: z.enum(auditOutcomes).optional(),
	fromMs: z.coerce.number().int().optional(),
	toMs: z.coerce.number().int().optional(),
};

/** GET /audit, newest first. Of an act that has ended, only the end. */
export const auditQuerySchema = pageQuerySchema.extend(auditFilter);
export type AuditQuery = z.infer<typeof auditQuerySchema>;
export const auditPageSchema = pageOf(auditRecordSchema);

/** GET /audit/export: every row that matches, oldest first. */
export const auditExportQuerySchema = z.strictObject({
	...auditFilter,
	format: z.enum(['csv', 'ndjson']).default('csv'),
});

/** GET /audit/verify (admin): whether the chain of hashes holds. */
export const auditVerifySchema = z.object({
	intact: z.boolean(),
	records: z.int(),
	/** The first row that does not follow from the one before. */
	brokenAtSequence: z.int().nullable(),
	lastHash: z.string(),
});
export type AuditVerification = z.infer<typeof auditVerifySchema>;
