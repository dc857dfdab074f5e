import {createHash} from 'node:crypto';
import type {ExpressionBuilder, Selectable, SelectQueryBuilder} from 'kysely';
import {z} from 'zod';
import type {Clock} from '#appliance/time/clock.ts';
import {type AuditQuery, type AuditRecord, type AuditVerification, auditRecordSchema} from '#ota/contract/audit-api.ts';
import {decodeCursor, pageOfRows} from '#ota/fleet/api/page-cursor.ts';
import type {AuditEntry, WriteAudit} from '#ota/fleet/audit/audit-entry.ts';
import {takeTurn} from '#ota/fleet/audit/take-turn.ts';
import type {AuditTable} from '#ota/fleet/store/account-tables.ts';
import type {FleetDatabase, FleetTables} from '#ota/fleet/store/fleet-database.ts';

export type AuditFilter = Omit<AuditQuery, 'cursor' | 'limit'>;

export type AuditLog = {
	readonly write: WriteAudit;
	readonly list: (query: AuditQuery) => Promise<{items: AuditRecord[]; nextCursor?: string}>;
	/** Everything that matches, oldest first. */
	readonly all: (filter: AuditFilter) => AsyncGenerator<AuditRecord, void, void>;
	readonly verify: () => Promise<AuditVerification>;
};

/** What the first row follows. */
export const auditGenesisHash = '0'.repeat(64);
const counterName = 'audit';
const readRowsMax = 1000;

type Row = Selectable<AuditTable>;

export const createAuditLog = ({
	database,
	clock,
}: {
	readonly database: FleetDatabase;
	readonly clock: Clock;
}): AuditLog => ({
	write: (entry) => appendEntry(database, entry, clock.nowMs()),
	list: async ({cursor, limit, ...filter}) => {
		const before = decodeCursor(cursor, z.tuple([z.int()]));
		let query = matching(database, filter).where(isLastOfAct).orderBy('sequence', 'desc');
		if (before !== undefined) {
			query = query.where('sequence', '<', before[0]);
		}
		const rows = await query.limit(limit + 1).execute();
		return pageOfRows(rows, {limit, toItem: toRecord, cursorOf: (row) => [row.sequence]});
	},
	all: (filter) => readAll(database, filter),
	verify: () => verifyChain(database),
});

/** One at a time, over all servers: each row carries the hash of the one before. */
const appendEntry = (database: FleetDatabase, entry: AuditEntry, atMs: number): Promise<number> =>
	database.transaction().execute(async (transaction) => {
		const sequence = await takeTurn(transaction, counterName);
		const previous = await transaction
			.selectFrom('audit')
			.select('hash')
			.where('sequence', '=', sequence - 1)
			.executeTakeFirst();
		const row = {
			sequence,
			at_ms: atMs,
			actor_id: entry.actorId,
			actor_name: entry.actorName,
			actor_role: entry.actorRole,
			action: entry.action,
			method: entry.method,
			path: entry.path,
			box: entry.box,
			outcome: entry.outcome,
			status: entry.status,
			code: entry.code,
			address: entry.address,
			detail: entry.detail,
			intent: entry.intent ?? null,
		};
		await transaction
			.insertInto('audit')
			.values({...row, hash: hashOf(previous?.hash ?? auditGenesisHash, row)})
			.execute();
		return sequence;
	});

/**
 * SHA-256 over the hash before and every column in a fixed order, each with its own bounds (JSON). A row without an intent
 * is hashed as those were that were written before there were any.
 */
const hashOf = (previousHash: string, row: Omit<Row, 'hash'>): string =>
	createHash('sha256')
		.update(
			JSON.stringify([
				previousHash,
				row.sequence,
				row.at_ms,
				row.actor_id,
				row.actor_name,
				row.actor_role,
				row.action,
				row.method,
				row.path,
				row.box,
				row.outcome,
				row.status,
				row.code,
				row.address,
				row.detail,
				...(row.intent === null ? [] : [row.intent]),
			]),
		)
		.digest('hex');

const matching = (
	database: FleetDatabase,
	{box, actor, action, outcome, fromMs, toMs}: AuditFilter,
): SelectQueryBuilder<FleetTables, 'audit', Row> => {
	let query = database.selectFrom('audit').selectAll();
	if (box !== undefined) {
		query = query.where('box', '=', box);
	}
	if (actor !== undefined) {
		query = query.where((expression) =>
			expression.or([expression('actor_name', '=', actor), expression('actor_id', '=', actor)]),
		);
	}
	if (action !== undefined) {
		query = query.where('action', '=', action);
	}
	if (outcome !== undefined) {
		query = query.where('outcome', '=', outcome);
	}
	if (fromMs !== undefined) {
		query = query.where('at_ms', '>=', fromMs);
	}
	return toMs === undefined ? query : query.where('at_ms', '<', toMs);
};

/** Of an act that has ended, the row that it began with tells no reader more. */
const isLastOfAct = ({or, not, exists, eb, selectFrom}: ExpressionBuilder<FleetTables, 'audit'>) =>
	or([
		eb('audit.outcome', '!=', 'begun'),
		not(exists(selectFrom('audit as end').select('end.sequence').whereRef('end.intent', '=', 'audit.sequence'))),
	]);

const toRecord = (row: Row): AuditRecord =>
	auditRecordSchema.parse({
		sequence: row.sequence,
		atMs: row.at_ms,
		actorId: row.actor_id,
		actorName: row.actor_name,
		actorRole: row.actor_role,
		action: row.action,
		method: row.method,
		path: row.path,
		box: row.box,
		outcome: row.outcome,
		status: row.status,
		code: row.code,
		address: row.address,
		detail: JSON.parse(row.detail),
		intent: row.intent,
		hash: row.hash,
	});

async function* readAll(database: FleetDatabase, filter: AuditFilter): AsyncGenerator<AuditRecord, void, void> {
	for await (const row of readRows(matching(database, filter))) {
		yield toRecord(row);
	}
}

async function* readRows(query: SelectQueryBuilder<FleetTables, 'audit', Row>): AsyncGenerator<Row, void, void> {
	let last = 0;
	for (;;) {
		const rows = await query.where('sequence', '>', last).orderBy('sequence').limit(readRowsMax).execute();
		yield* rows;
		const end = rows.at(-1);
		if (end === undefined || rows.length < readRowsMax) {
			return;
		}
		last = end.sequence;
	}
}

/** A changed row breaks its own hash, one taken out its successor's; rows cut off at the end miss in the counter. */
const verifyChain = async (database: FleetDatabase): Promise<AuditVerification> => {
	let records = 0;
	let lastHash = auditGenesisHash;
	const counter = await database
		.selectFrom('counter')
		.select('value')
		.where('name', '=', counterName)
		.executeTakeFirst();
	for await (const {hash, ...row} of readRows(database.selectFrom('audit').selectAll())) {
		if (row.sequence !== records + 1 || hash !== hashOf(lastHash, row)) {
			return {intact: false, records, brokenAtSequence: row.sequence, lastHash};
		}
		records += 1;
		lastHash = hash;
	}
	const isCutOff = records < Number(counter?.value ?? 0);
	return {intact: !isCutOff, records, brokenAtSequence: isCutOff ? records + 1 : null, lastHash};
};
