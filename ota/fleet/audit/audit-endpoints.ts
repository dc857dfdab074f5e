import {Readable} from 'node:stream';
import {
	type AuditRecord,
	auditExportQuerySchema,
	auditPageSchema,
	auditQuerySchema,
	auditVerifySchema,
} from '#ota/contract/audit-api.ts';
import {type AnyEndpoint, endpoint} from '#ota/fleet/api/endpoint.ts';
import type {AuditLog} from '#ota/fleet/audit/audit-log.ts';
import {csvLine} from '#ota/fleet/audit/csv-line.ts';

/** Who reads what others did must be trusted with more than looking at boxes. */
const readerRole = 'approver';

export const createAuditEndpoints = (log: AuditLog): readonly AnyEndpoint[] => [
	endpoint({
		method: 'GET',
		path: '/audit',
		operationId: 'listAudit',
		tag: 'audit',
		summary: 'Who did what to which box, newest first',
		role: readerRole,
		query: auditQuerySchema,
		answer: auditPageSchema,
		handle: async ({query}) => ({body: await log.list(query)}),
	}),
	endpoint({
		method: 'GET',
		path: '/audit/export',
		operationId: 'exportAudit',
		tag: 'audit',
		summary: 'The audit log as a file, oldest first',
		role: readerRole,
		query: auditExportQuerySchema,
		contentType: 'application/octet-stream',
		handle: ({query: {format, ...filter}}) =>
			Promise.resolve({
				stream: Readable.from(format === 'csv' ? csvOf(log.all(filter)) : linesOf(log.all(filter)), {
					objectMode: false,
				}),
				headers: {'Content-Disposition': `attachment; filename="audit.${format}"`},
			}),
	}),
	endpoint({
		method: 'GET',
		path: '/audit/verify',
		operationId: 'verifyAudit',
		tag: 'audit',
		summary: 'Whether the audit log is as it was written',
		role: 'admin',
		answer: auditVerifySchema,
		handle: async () => ({body: await log.verify()}),
	}),
];

async function* linesOf(records: AsyncIterable<AuditRecord>): AsyncGenerator<string, void, void> {
	for await (const record of records) {
		yield `${JSON.stringify(record)}\n`;
	}
}

const columns = [
	'sequence',
	'atMs',
	'actorId',
	'actorName',
	'actorRole',
	'action',
	'method',
	'path',
	'box',
	'outcome',
	'status',
	'code',
	'address',
	'detail',
	'intent',
	'hash',
] as const satisfies readonly (keyof AuditRecord)[];

async function* csvOf(records: AsyncIterable<AuditRecord>): AsyncGenerator<string, void, void> {
	yield csvLine(columns);
	for await (const record of records) {
		yield csvLine(columns.map((column) => (column === 'detail' ? JSON.stringify(record.detail) : record[column])));
	}
}
