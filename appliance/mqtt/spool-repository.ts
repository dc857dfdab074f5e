import {randomUUID} from 'node:crypto';
import {spoolRecordOverheadBytes} from '#appliance/mqtt/link-limits.ts';
import type {Database} from '#appliance/store/open-database.ts';

export const spoolTables = `
	CREATE TABLE spool_epoch (epoch TEXT NOT NULL) STRICT;
	CREATE TABLE spool_sequence (topic TEXT PRIMARY KEY, last INTEGER NOT NULL) STRICT, WITHOUT ROWID;
	CREATE TABLE spool_record (
		topic TEXT NOT NULL,
		sequence INTEGER NOT NULL,
		from_ms INTEGER NOT NULL,
		to_ms INTEGER NOT NULL,
		body TEXT NOT NULL,
		PRIMARY KEY (topic, sequence)
	) STRICT, WITHOUT ROWID;
	CREATE TABLE spool_gap (
		id INTEGER PRIMARY KEY CHECK (id = 1),
		from_sequence INTEGER NOT NULL,
		to_sequence INTEGER NOT NULL,
		from_ms INTEGER NOT NULL,
		to_ms INTEGER NOT NULL
	) STRICT;`;

export const spoolTopics = ['telemetry', 'event'] as const;
export type SpoolTopic = (typeof spoolTopics)[number];

export type SpoolRecord = {
	readonly sequence: number;
	/** The record that is kept before it; 0 = none. */
	readonly after: number;
	/** JSON of the payload without its head. */
	readonly body: string;
};

export type SpoolGap = {
	readonly fromSequence: number;
	readonly toSequence: number;
	readonly fromMs: number;
	readonly toMs: number;
};

type Sized = {readonly bytes: number | null};
type Evicted = {readonly sequence: number; readonly fromMs: number; readonly toMs: number; readonly bytes: number};

const sizeSql = `(octet_length(body) + ${spoolRecordOverheadBytes})`;

/** The tables `spool_…` of link.db. Every call is one transaction, or part of its caller's. */
export type SpoolRepository = ReturnType<typeof createSpoolRepository>;

export const createSpoolRepository = (database: Database) => {
	const epochOf = database.prepare<[], {epoch: string}>('SELECT epoch FROM spool_epoch');
	if (epochOf.get() === undefined) {
		database.prepare('INSERT INTO spool_epoch VALUES (?)').run(randomUUID());
	}
	const nextSequence = database.prepare<[string], {last: number}>(
		`INSERT INTO spool_sequence VALUES (?, 1) ON CONFLICT (topic) DO UPDATE SET last = last + 1 RETURNING last`,
	);
	const lastSequence = database.prepare<[string], {last: number}>('SELECT last FROM spool_sequence WHERE topic = ?');
	const insert = database.prepare('INSERT INTO spool_record VALUES (@topic, @sequence, @fromMs, @toMs, @body)');
	const sum = database.prepare<[], Sized>(`SELECT sum(${sizeSql}) AS bytes FROM spool_record`);
	const sumAcknowledged = database.prepare<[string, number], Sized>(
		`SELECT sum(${sizeSql}) AS bytes FROM spool_record WHERE topic = ? AND sequence <= ?`,
	);
	const acknowledge = database.prepare('DELETE FROM spool_record WHERE topic = ? AND sequence <= ?');
	const evictOldest = database.prepare<[], Evicted>(
		`DELETE FROM spool_record WHERE topic = 'telemetry' AND sequence =
			(SELECT min(sequence) FROM spool_record WHERE topic = 'telemetry')
		RETURNING sequence, from_ms AS fromMs, to_ms AS toMs, ${sizeSql} AS bytes`,
	);
	const next = database.prepare<[{topic: string; after: number}], SpoolRecord>(
		`SELECT sequence, body, coalesce(
			(SELECT max(before.sequence) FROM spool_record AS before
			WHERE before.topic = @topic AND before.sequence < record.sequence), 0) AS after
		FROM spool_record AS record WHERE topic = @topic AND sequence > @after ORDER BY sequence LIMIT 1`,
	);
	const widenGap = database.prepare(
		`INSERT INTO spool_gap VALUES (1, @sequence, @sequence, @fromMs, @toMs)
		ON CONFLICT (id) DO UPDATE SET to_sequence = excluded.to_sequence, to_ms = max(to_ms, excluded.to_ms),
			from_ms = min(from_ms, excluded.from_ms)`,
	);
	const takeGap = database.prepare<[], SpoolGap>(
		`DELETE FROM spool_gap RETURNING from_sequence AS fromSequence, to_sequence AS toSequence,
			from_ms AS fromMs, to_ms AS toMs`,
	);
	const count = database.prepare<[string], {count: number}>(
		'SELECT count(*) AS count FROM spool_record WHERE topic = ?',
	);
	return {
		epoch: epochOf.get()?.epoch ?? '',
		together: <Answer>(change: () => Answer): Answer => database.transaction(change)(),
		/** Answers the record's bytes. */
		append: (
			topic: SpoolTopic,
			record: {readonly fromMs: number; readonly toMs: number; readonly body: string},
		): number => {
			const sequence = nextSequence.get(topic)?.last ?? 0;
			insert.run({topic, sequence, ...record});
			return Buffer.byteLength(record.body) + spoolRecordOverheadBytes;
		},
		lastSequence: (topic: SpoolTopic): number => lastSequence.get(topic)?.last ?? 0,
		bytes: (): number => sum.get()?.bytes ?? 0,
		count: (topic: SpoolTopic): number => count.get(topic)?.count ?? 0,
		next: (topic: SpoolTopic, after: number): SpoolRecord | undefined => next.get({topic, after}),
		/** Forgets all up to and including `sequence`; answers the bytes that became free. */
		acknowledge: database.transaction((topic: SpoolTopic, sequence: number): number => {
			const bytes = sumAcknowledged.get(topic, sequence)?.bytes ?? 0;
			acknowledge.run(topic, sequence);
			return bytes;
		}),
		/** The oldest telemetry goes, and the gap grows by it; answers its bytes, 0 when there is none. */
		evict: (): number => {
			const evicted = evictOldest.get();
			if (evicted === undefined) {
				return 0;
			}
			const {bytes, ...gap} = evicted;
			widenGap.run(gap);
			return bytes;
		},
		takeGap: (): SpoolGap | undefined => takeGap.get(),
	};
};
