import type {Database} from 'better-sqlite3';
import type {Priority} from '#appliance/contract/catalogue-schema.ts';
import type {ObjectUri} from '#appliance/contract/object-uri.ts';
import {openDatabase} from '#appliance/store/open-database.ts';
import type {ObjectSource, StoredObject} from '#stb/cache/cached-object.ts';
import {evictionRank} from '#stb/cache/plan-eviction.ts';

const migrations = [
	`CREATE TABLE object (
		uri TEXT PRIMARY KEY,
		generation INTEGER NOT NULL UNIQUE,
		size_bytes INTEGER NOT NULL,
		sha256 TEXT NOT NULL,
		content_type TEXT NOT NULL,
		priority TEXT NOT NULL,
		rank INTEGER NOT NULL,
		source TEXT NOT NULL,
		stored_ms INTEGER NOT NULL,
		last_used_ms INTEGER NOT NULL,
		expires_ms INTEGER,
		fresh_until_ms INTEGER,
		pinned INTEGER NOT NULL
	) STRICT, WITHOUT ROWID;
	CREATE INDEX object_by_eviction ON object (pinned, rank, last_used_ms);
	CREATE INDEX object_by_expiry ON object (expires_ms) WHERE expires_ms IS NOT NULL;`,
];

const checkpointPages = 250;
const pageBytes = 4096;

type Row = {
	readonly uri: string;
	readonly generation: number;
	readonly size_bytes: number;
	readonly sha256: string;
	readonly content_type: string;
	readonly priority: string;
	readonly source: string;
	readonly stored_ms: number;
	readonly last_used_ms: number;
	readonly expires_ms: number | null;
	readonly fresh_until_ms: number | null;
	readonly pinned: number;
};

const objectOf = (row: Row): StoredObject => ({
	uri: row.uri as ObjectUri,
	generation: row.generation,
	sizeBytes: row.size_bytes,
	sha256: row.sha256,
	contentType: row.content_type,
	priority: row.priority as Priority,
	source: row.source as ObjectSource,
	storedMs: row.stored_ms,
	lastUsedMs: row.last_used_ms,
	...(row.expires_ms === null ? {} : {expiresMs: row.expires_ms}),
	...(row.fresh_until_ms === null ? {} : {freshUntilMs: row.fresh_until_ms}),
	pinned: row.pinned === 1,
});

const rowOf = (object: StoredObject) => ({
	uri: object.uri,
	generation: object.generation,
	size_bytes: object.sizeBytes,
	sha256: object.sha256,
	content_type: object.contentType,
	priority: object.priority,
	rank: evictionRank[object.priority],
	source: object.source,
	stored_ms: object.storedMs,
	last_used_ms: object.lastUsedMs,
	expires_ms: object.expiresMs ?? null,
	fresh_until_ms: object.freshUntilMs ?? null,
	pinned: object.pinned ? 1 : 0,
});

export type CacheIndex = Disposable & {
	readonly find: (uri: string) => StoredObject | undefined;
	readonly put: (objects: readonly StoredObject[]) => void;
	readonly delete: (uris: readonly string[]) => void;
	readonly touch: (usedMsByUri: ReadonlyMap<string, number>) => void;
	readonly pin: (uri: string, pinned: boolean) => void;
	readonly page: (options: {readonly after: string; readonly limit: number}) => readonly StoredObject[];
	/** In the order in which objects are given up, without the pinned ones. */
	readonly candidates: () => Iterable<StoredObject>;
	readonly expired: (options: {readonly nowMs: number; readonly limit: number}) => readonly StoredObject[];
	readonly totals: () => {readonly objects: number; readonly bytes: number; readonly generationMax: number};
};

/** @throws SqliteError SQLITE_CORRUPT or SQLITE_NOTADB when the file is broken; `openOrRebuild` heals that. */
export const openCacheIndex = (path: string): CacheIndex => {
	const database = openDatabase({path, migrations});
	try {
		if (database.pragma('quick_check(1)', {simple: true}) !== 'ok') {
			throw Object.assign(new Error('quick_check found damage'), {code: 'SQLITE_CORRUPT'});
		}
		// A power cut may take the last rows with it, never the database; the sidecars bring those rows back at start.
		database.pragma('synchronous = NORMAL');
		// The log stays small beside a cache that fills the disk.
		database.pragma(`wal_autocheckpoint = ${checkpointPages}`);
		database.pragma(`journal_size_limit = ${checkpointPages * pageBytes}`);
		return indexOf(database);
	} catch (error) {
		database.close();
		throw error;
	}
};

const indexOf = (database: Database): CacheIndex => {
	const find = database.prepare<[string], Row>('SELECT * FROM object WHERE uri = ?');
	const put = database.prepare(
		`INSERT OR REPLACE INTO object VALUES (:uri, :generation, :size_bytes, :sha256, :content_type, :priority, :rank,
		:source, :stored_ms, :last_used_ms, :expires_ms, :fresh_until_ms, :pinned)`,
	);
	const remove = database.prepare('DELETE FROM object WHERE uri = ?');
	const touch = database.prepare('UPDATE object SET last_used_ms = max(last_used_ms, ?) WHERE uri = ?');
	const pin = database.prepare('UPDATE object SET pinned = ? WHERE uri = ?');
	const page = database.prepare<[string, number], Row>('SELECT * FROM object WHERE uri > ? ORDER BY uri LIMIT ?');
	const candidates = database.prepare<[], Row>('SELECT * FROM object WHERE pinned = 0 ORDER BY rank, last_used_ms');
	const expired = database.prepare<[number, number], Row>(
		'SELECT * FROM object WHERE expires_ms <= ? ORDER BY expires_ms LIMIT ?',
	);
	const totals = database.prepare<[], {objects: number; bytes: number; generationMax: number}>(
		`SELECT count(*) AS objects, coalesce(sum(size_bytes), 0) AS bytes, coalesce(max(generation), 0) AS generationMax
		FROM object`,
	);
	const inOneTransaction = <Item>(items: Iterable<Item>, run: (item: Item) => void): void => {
		database.transaction(() => {
			for (const item of items) {
				run(item);
			}
		})();
	};
	return {
		find: (uri) => {
			const row = find.get(uri);
			return row === undefined ? undefined : objectOf(row);
		},
		put: (objects) => inOneTransaction(objects, (object) => put.run(rowOf(object))),
		delete: (uris) => inOneTransaction(uris, (uri) => remove.run(uri)),
		touch: (usedMsByUri) => inOneTransaction(usedMsByUri, ([uri, usedMs]) => touch.run(usedMs, uri)),
		pin: (uri, pinned) => {
			pin.run(pinned ? 1 : 0, uri);
		},
		page: ({after, limit}) => page.all(after, limit).map(objectOf),
		*candidates() {
			for (const row of candidates.iterate()) {
				yield objectOf(row);
			}
		},
		expired: ({nowMs, limit}) => expired.all(nowMs, limit).map(objectOf),
		totals: () => totals.get() ?? {objects: 0, bytes: 0, generationMax: 0},
		[Symbol.dispose]: () => database.close(),
	};
};
