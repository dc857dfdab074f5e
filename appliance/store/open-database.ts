import Database from 'better-sqlite3';
import {CodedError} from '#appliance/error/coded-error.ts';

export type {Database} from 'better-sqlite3';

/** How long a writer waits for another process's lock before SQLite answers SQLITE_BUSY. */
const busyTimeoutMs = 5000;

/** Migrations are statements in order; `user_version` counts those already run. Append, never edit. */
export type Migrations = readonly string[];

/**
 * Opens (and creates) a database with write-ahead logging and full synchronisation, then runs the migrations it lacks,
 * each in a transaction of its own. A database from a newer release is refused rather than guessed at, unless its owner
 * has promised that migrations only add (`takesNewer`): a box that falls back opens what the release before it left.
 */
export const openDatabase = (options: {
	readonly path: string;
	readonly migrations: Migrations;
	readonly takesNewer?: boolean;
}): Database.Database => {
	const database = new Database(options.path, {timeout: busyTimeoutMs});
	try {
		database.pragma('journal_mode = WAL');
		database.pragma('synchronous = FULL');
		database.pragma('foreign_keys = ON');
		migrate(database, options);
	} catch (error) {
		database.close();
		throw error;
	}
	return database;
};

const migrate = (
	database: Database.Database,
	{path, migrations, takesNewer = false}: Parameters<typeof openDatabase>[0],
): void => {
	const version = Number(database.pragma('user_version', {simple: true}));
	if (version > migrations.length && !takesNewer) {
		throw new CodedError('APPLIANCE_STORE_NEWER', {
			message: `${path} was written by a newer release; update this box first.`,
			details: {path, version, supported: migrations.length},
		});
	}
	for (const [index, statement] of migrations.entries()) {
		if (index < version) {
			continue;
		}
		database.transaction(() => {
			database.exec(statement);
			database.pragma(`user_version = ${index + 1}`);
		})();
	}
};
