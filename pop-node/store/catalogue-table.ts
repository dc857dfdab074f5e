import type {CatalogueObject, Priority} from '#appliance/contract/catalogue-schema.ts';
import {type Database, type Migrations, openDatabase} from '#appliance/store/open-database.ts';

/** What we know of an object and, if `stored` is there, which of its versions lies on our disk. */
export type StoreEntry = CatalogueObject & {
	readonly stored?: {readonly sha256: string; readonly sizeBytes: number; readonly storedMs: number};
};

type Row = {
	readonly path: string;
	readonly uri: string;
	readonly size_bytes: number;
	readonly sha256: string;
	readonly content_type: string;
	readonly priority: Priority;
	readonly service: string | null;
	readonly expires_ms: number | null;
	readonly fresh_until_ms: number | null;
	readonly revision: number;
	readonly stored_sha256: string | null;
	readonly stored_size_bytes: number | null;
	readonly stored_ms: number | null;
};

const migrations: Migrations = [
	`CREATE TABLE object (
		path TEXT PRIMARY KEY,
		uri TEXT NOT NULL UNIQUE,
		size_bytes INTEGER NOT NULL,
		sha256 TEXT NOT NULL,
		content_type TEXT NOT NULL,
		priority TEXT NOT NULL,
		service TEXT,
		expires_ms INTEGER,
		fresh_until_ms INTEGER,
		revision INTEGER NOT NULL,
		stored_sha256 TEXT,
		stored_size_bytes INTEGER,
		stored_ms INTEGER,
		used_ms INTEGER NOT NULL DEFAULT 0,
		-- Does not fit, or made room for another: not downloaded again until the catalogue or a client asks.
		skipped INTEGER NOT NULL DEFAULT 0
	) STRICT;
	CREATE INDEX object_stored ON object (stored_sha256);
	CREATE INDEX object_expires ON object (expires_ms) WHERE expires_ms IS NOT NULL;
	CREATE TABLE feed (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL) STRICT;
	INSERT INTO feed VALUES (1, 0);`,
];

/** Rank of a priority as SQL: 0 is sent, fetched and kept first. */
const rankSql = "CASE priority WHEN 'live' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END";

const toEntry = (row: Row): StoreEntry => ({
	path: row.path,
	uri: row.uri,
	sizeBytes: row.size_bytes,
	sha256: row.sha256,
	contentType: row.content_type,
	priority: row.priority,
	revision: row.revision,
	...(row.service === null ? {} : {service: row.service}),
	...(row.expires_ms === null ? {} : {expiresMs: row.expires_ms}),
	...(row.fresh_until_ms === null ? {} : {freshUntilMs: row.fresh_until_ms}),
	...(row.stored_sha256 === null
		? {}
		: {
				stored: {
					sha256: row.stored_sha256,
					sizeBytes: row.stored_size_bytes ?? 0,
					storedMs: row.stored_ms ?? 0,
				},
			}),
});

/** The index of the store: only statements, no files. Every method is one transaction. */
export const openCatalogueTable = (path: string) => {
	const database: Database = openDatabase({path, migrations});
	const upsert = database.prepare(`INSERT INTO object
			(path, uri, size_bytes, sha256, content_type, priority, service, expires_ms, fresh_until_ms, revision)
		VALUES (@path, @uri, @sizeBytes, @sha256, @contentType, @priority, @service, @expiresMs, @freshUntilMs, @revision)
		ON CONFLICT (path) DO UPDATE SET uri = excluded.uri, size_bytes = excluded.size_bytes, sha256 = excluded.sha256,
			content_type = excluded.content_type, priority = excluded.priority, service = excluded.service,
			expires_ms = excluded.expires_ms, fresh_until_ms = excluded.fresh_until_ms, revision = excluded.revision,
			skipped = CASE WHEN sha256 = excluded.sha256 THEN skipped ELSE 0 END
		WHERE excluded.revision >= revision`);
	const byUri = database.prepare<[string], Row>('SELECT * FROM object WHERE uri = ?');
	const byPath = database.prepare<[string], Row>('SELECT * FROM object WHERE path = ?');
	const missing = database.prepare<[number, number], Row>(`SELECT * FROM object
		WHERE stored_sha256 IS NOT sha256 AND skipped = 0 AND (expires_ms IS NULL OR expires_ms > ?)
		ORDER BY ${rankSql}, revision DESC LIMIT ?`);
	const markStored = database.prepare(`UPDATE object
		SET stored_sha256 = ?, stored_size_bytes = ?, stored_ms = ?, used_ms = ?, skipped = 0 WHERE path = ?`);
	const markUnstored = database.prepare(`UPDATE object
		SET stored_sha256 = NULL, stored_size_bytes = NULL, stored_ms = NULL, skipped = ? WHERE stored_sha256 = ?`);
	const skip = database.prepare('UPDATE object SET skipped = 1 WHERE path = ?');
	const touch = database.prepare('UPDATE object SET used_ms = ? WHERE path = ?');
	const remove = database.prepare('DELETE FROM object WHERE path = ? AND revision <= ?');
	const setRevision = database.prepare('UPDATE feed SET revision = ?');
	const revision = database.prepare<[], number>('SELECT revision FROM feed').pluck();
	const references = database.prepare<[string], number>('SELECT count(*) FROM object WHERE stored_sha256 = ?').pluck();
	const wanted = database
		.prepare<[string], number>('SELECT count(*) FROM object WHERE sha256 = ? AND stored_sha256 IS NOT sha256')
		.pluck();
	const expired = database.prepare<[number, number], Row>('SELECT * FROM object WHERE expires_ms <= ? LIMIT ?');
	const storedContents = database.prepare<[], {readonly sha256: string; readonly sizeBytes: number}>(
		'SELECT DISTINCT stored_sha256 AS sha256, stored_size_bytes AS sizeBytes FROM object WHERE stored_sha256 IS NOT NULL',
	);
	const evictable = database.prepare<[number], {readonly sha256: string; readonly sizeBytes: number}>(
		`SELECT stored_sha256 AS sha256, stored_size_bytes AS sizeBytes FROM object WHERE stored_sha256 IS NOT NULL
		GROUP BY stored_sha256 HAVING min(${rankSql}) > ? ORDER BY min(${rankSql}) DESC, max(used_ms) LIMIT 1`,
	);
	const counts = database.prepare<[], {readonly known: number; readonly stored: number; readonly skipped: number}>(
		`SELECT count(*) AS known, count(*) FILTER (WHERE stored_sha256 IS sha256) AS stored,
			count(*) FILTER (WHERE skipped = 1) AS skipped FROM object`,
	);
	return {
		put: (object: CatalogueObject): void => {
			upsert.run({service: null, expiresMs: null, freshUntilMs: null, ...object});
		},
		findByUri: (uri: string): StoreEntry | undefined => optionalEntry(byUri.get(uri)),
		findByPath: (objectPath: string): StoreEntry | undefined => optionalEntry(byPath.get(objectPath)),
		missing: (nowMs: number, limit: number): readonly StoreEntry[] => missing.all(nowMs, limit).map(toEntry),
		markStored: (objectPath: string, content: {sha256: string; sizeBytes: number; nowMs: number}): void => {
			markStored.run(content.sha256, content.sizeBytes, content.nowMs, content.nowMs, objectPath);
		},
		/** Forgets the bytes, keeps what is known; `skipped` = do not fetch them again by yourself. */
		markUnstored: (sha256: string, {skipped}: {readonly skipped: boolean}): void => {
			markUnstored.run(skipped ? 1 : 0, sha256);
		},
		skip: (objectPath: string): void => {
			skip.run(objectPath);
		},
		touch: (objectPath: string, nowMs: number): void => {
			touch.run(nowMs, objectPath);
		},
		remove: (objectPath: string, revisionMax: number): boolean => remove.run(objectPath, revisionMax).changes > 0,
		expired: (nowMs: number, limit: number): readonly StoreEntry[] => expired.all(nowMs, limit).map(toEntry),
		paths: (): IterableIterator<string> =>
			database.prepare<[], string>('SELECT path FROM object ORDER BY path').pluck().iterate(),
		isReferenced: (sha256: string): boolean => (references.get(sha256) ?? 0) > 0,
		/** Whether an object of the catalogue still lacks this content. */
		isWanted: (sha256: string): boolean => (wanted.get(sha256) ?? 0) > 0,
		storedContents: (): readonly {readonly sha256: string; readonly sizeBytes: number}[] => storedContents.all(),
		/** Contents that only objects of a rank behind `rank` use, the least missed first. */
		evictable: (rank: number): readonly {readonly sha256: string; readonly sizeBytes: number}[] => evictable.all(rank),
		counts: () => counts.get() ?? {known: 0, stored: 0, skipped: 0},
		revision: (): number => revision.get() ?? 0,
		setRevision: (value: number): void => {
			setRevision.run(value);
		},
		/** The headend began to count anew: nothing that we know may outrank what it says now. */
		resetRevisions: (): void => {
			database.exec('UPDATE object SET revision = 0; UPDATE feed SET revision = 0;');
		},
		transaction: <Result>(body: () => Result): Result => database.transaction(body)(),
		[Symbol.dispose]: (): void => {
			database.close();
		},
	};
};
export type CatalogueTable = ReturnType<typeof openCatalogueTable>;

const optionalEntry = (row: Row | undefined): StoreEntry | undefined => (row === undefined ? undefined : toEntry(row));
