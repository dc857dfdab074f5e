import type {auditOutcomes} from '#ota/contract/audit-api.ts';

/** What is written down about one act, before it or after it. */
export type AuditEntry = {
	readonly actorId: string;
	readonly actorName: string;
	readonly actorRole: string;
	readonly action: string;
	readonly method: string;
	readonly path: string;
	readonly box: string | null;
	readonly outcome: (typeof auditOutcomes)[number];
	readonly status: number;
	readonly code: string | null;
	readonly address: string;
	/** JSON. */
	readonly detail: string;
	/** The row that was written before the act, of which this is the outcome. */
	readonly intent?: number;
};

/** Appends to the log, and answers the row's sequence; durable when it returns. */
export type WriteAudit = (entry: AuditEntry) => Promise<number>;
