import type {auditOutcomes} from '#ota/contract/audit-api.ts';

/** What is written down about one act. */
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
};

/** Appends to the log; durable when it returns. */
export type WriteAudit = (entry: AuditEntry) => Promise<void>;
