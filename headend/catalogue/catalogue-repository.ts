import type {Database} from '#appliance/store/open-database.ts';
import type {CatalogueEntry} from '#headend/catalogue/catalogue-entry.ts';

type Row = Readonly<Record<string, string | number | null>>;

/** SQLite holds rows that only this file wrote, so that they are trusted as they are read. */
const toEntry = (row: Row): CatalogueEntry => {
	const entry: Record<string, unknown> = {};
	for (const [column, value] of Object.entries(row)) {
		if (value !== null) {
			entry[column.replaceAll(/_([a-z])/gu, (_, letter: string) => letter.toUpperCase())] = value;
		}
	}
	return entry as CatalogueEntry;
};

export type Tombstone = {readonly path: string; readonly revision: number};

/** The tables `object` and `tombstone`. Every call is one transaction; nothing is kept in memory. */
export type CatalogueRepository = ReturnType<typeof createCatalogueRepository>;

export const createCatalogueRepository = (database: Database) => {
	const upsert = database.prepare(
		`INSERT INTO object (path, uri, size_bytes, sha256, md5, content_type, priority, service, expires_ms,
			fresh_until_ms, revision, file_path, origin, modified_ms, "order", stored_ms, form)
		VALUES (@path, @uri, @sizeBytes, @sha256, @md5, @contentType, @priority, @service, @expiresMs, @freshUntilMs,
			@revision, @filePath, @origin, @modifiedMs, @order, @storedMs, @form)
		ON CONFLICT (path) DO UPDATE SET uri = excluded.uri, size_bytes = excluded.size_bytes, sha256 = excluded.sha256,
			md5 = excluded.md5, content_type = excluded.content_type, priority = excluded.priority,
			service = excluded.service, expires_ms = excluded.expires_ms, fresh_until_ms = excluded.fresh_until_ms,
			revision = excluded.revision, file_path = excluded.file_path, origin = excluded.origin,
			modified_ms = excluded.modified_ms, "order" = excluded."order", stored_ms = excluded.stored_ms,
			form = excluded.form`,
	);
	const setRevision = database.prepare(
		"INSERT INTO counter (name, value) VALUES ('revision', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
	);
	const getRevision = database.prepare<[], {value: number}>("SELECT value FROM counter WHERE name = 'revision'");
	const setHorizon = database.prepare(
		"INSERT INTO counter (name, value) VALUES ('feed-horizon', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
	);
	const getHorizon = database.prepare<[], {value: number}>("SELECT value FROM counter WHERE name = 'feed-horizon'");
	const deleteObject = database.prepare('DELETE FROM object WHERE path = ?');
	const deleteTombstone = database.prepare('DELETE FROM tombstone WHERE path = ?');
	const putTombstone = database.prepare('INSERT OR REPLACE INTO tombstone (path, revision) VALUES (?, ?)');
	const all = database.prepare<[], Row>('SELECT * FROM object ORDER BY path');
	const page = database.prepare<[string, number], Row>('SELECT * FROM object WHERE path > ? ORDER BY path LIMIT ?');
	const tombstones = database.prepare<[number], Tombstone>('SELECT * FROM tombstone WHERE revision > ?');
	const countTombstones = database.prepare<[], {count: number}>('SELECT count(*) AS count FROM tombstone');
	const pruneTombstones = database.prepare<[number], Tombstone>(
		'DELETE FROM tombstone WHERE path IN (SELECT path FROM tombstone ORDER BY revision LIMIT ?) RETURNING *',
	);
	return {
		all: (): CatalogueEntry[] => all.all().map(toEntry),
		page: (after: string, limit: number): CatalogueEntry[] => page.all(after, limit).map(toEntry),
		revision: (): number => getRevision.get()?.value ?? 0,
		/** One commit for all that `change` does; a commit costs a sync of the disk. */
		together: (change: () => void): void => {
			database.transaction(change)();
		},
		put: database.transaction((entry: CatalogueEntry) => {
			upsert.run({service: null, expiresMs: null, freshUntilMs: null, form: null, ...definedOf(entry)});
			deleteTombstone.run(entry.path);
			setRevision.run(entry.revision);
		}),
		remove: database.transaction((path: string, revision: number) => {
			deleteObject.run(path);
			putTombstone.run(path, revision);
			setRevision.run(revision);
		}),
		tombstonesSince: (revision: number): Tombstone[] => tombstones.all(revision),
		countTombstones: (): number => countTombstones.get()?.count ?? 0,
		/** Forgets the oldest deletions; answers the revision up to which a feed can no longer be resumed. */
		pruneTombstones: database.transaction((count: number): number => {
			const horizon = pruneTombstones.all(count).reduce((most, {revision}) => Math.max(most, revision), 0);
			setHorizon.run(horizon);
			return horizon;
		}),
		feedHorizon: (): number => getHorizon.get()?.value ?? 0,
	};
};

const definedOf = (entry: CatalogueEntry): Readonly<Record<string, unknown>> =>
	Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined));
