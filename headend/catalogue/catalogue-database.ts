import {type Database, type Migrations, openDatabase} from '#appliance/store/open-database.ts';

const migrations: Migrations = [
	`CREATE TABLE object (
		path TEXT PRIMARY KEY,
		uri TEXT NOT NULL,
		size_bytes INTEGER NOT NULL,
		sha256 TEXT NOT NULL,
		md5 TEXT NOT NULL,
		content_type TEXT NOT NULL,
		priority TEXT NOT NULL,
		service TEXT,
		expires_ms INTEGER,
		fresh_until_ms INTEGER,
		revision INTEGER NOT NULL,
		file_path TEXT NOT NULL,
		origin TEXT NOT NULL,
		modified_ms REAL NOT NULL,
		"order" INTEGER NOT NULL,
		stored_ms INTEGER NOT NULL,
		form TEXT
	) STRICT, WITHOUT ROWID;
	CREATE UNIQUE INDEX object_revision ON object (revision);
	CREATE INDEX object_expires ON object (expires_ms) WHERE expires_ms IS NOT NULL;
	CREATE TABLE tombstone (path TEXT PRIMARY KEY, revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;
	CREATE INDEX tombstone_revision ON tombstone (revision);
	CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
	CREATE TABLE toi (
		tsi INTEGER NOT NULL,
		content_key TEXT NOT NULL,
		toi INTEGER NOT NULL,
		PRIMARY KEY (tsi, content_key)
	) STRICT, WITHOUT ROWID;
	CREATE UNIQUE INDEX toi_number ON toi (tsi, toi);`,
];

/** The headend's one database: catalogue, carousel identifiers. */
export const openHeadendDatabase = (path: string): Database => openDatabase({path, migrations});
