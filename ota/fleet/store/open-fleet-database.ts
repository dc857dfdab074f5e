import SqliteDatabase from 'better-sqlite3';
import {Kysely, PostgresDialect, SqliteDialect} from 'kysely';
import {type Migration, Migrator} from 'kysely/migration';
import {Pool, types} from 'pg';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {FleetDatabase, FleetTables} from '#ota/fleet/store/fleet-database.ts';
import {keepStatements} from '#ota/fleet/store/keep-statements.ts';
import {migrations} from '#ota/fleet/store/migrations.ts';

export type DatabaseEngine = 'sqlite' | 'postgres';

export type OpenFleetDatabase = AsyncDisposable & {
	readonly database: FleetDatabase;
	readonly engine: DatabaseEngine;
};

/** Connections that one server holds at PostgreSQL. */
const postgresConnectionsMax = 10;
const connectTimeoutMs = 10_000;
const busyTimeoutMs = 10_000;
const sqliteCacheKibibytes = 32_768;
/** Pages of 4 KiB in the log before they move to the database. */
const sqliteCheckpointPages = 4000;

/**
 * Opens `postgres://…` or `sqlite:<path>` and runs the migrations that it lacks. Several servers may do so at once: the
 * migrator locks.
 */
export const openFleetDatabase = async (options: {readonly url: string}): Promise<OpenFleetDatabase> => {
	const {url} = options;
	const engine: DatabaseEngine = /^postgres(ql)?:/u.test(url) ? 'postgres' : 'sqlite';
	const database =
		engine === 'postgres'
			? openPostgres(url)
			: openSqlite(url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : url);
	const close = (): Promise<void> => database.destroy();
	try {
		await migrate(database);
	} catch (error) {
		await close();
		throw new CodedError('OTA_DATABASE_UNUSABLE', {
			message: `The fleet's database cannot be opened or brought up to date: ${new URL(url, 'sqlite:').protocol}//…`,
			cause: error,
			details: {engine},
			retryable: engine === 'postgres',
		});
	}
	return {database, engine, [Symbol.asyncDispose]: close};
};

const openSqlite = (path: string): FleetDatabase => {
	const connection = new SqliteDatabase(path, {timeout: busyTimeoutMs});
	connection.pragma('journal_mode = WAL');
	connection.pragma('synchronous = FULL');
	connection.pragma('foreign_keys = ON');
	// What a transaction of many rows has changed stays in memory, and goes to the file once and not at every megabyte.
	connection.pragma(`cache_size = -${sqliteCacheKibibytes}`);
	connection.pragma(`wal_autocheckpoint = ${sqliteCheckpointPages}`);
	return new Kysely<FleetTables>({dialect: new SqliteDialect({database: keepStatements(connection)})});
};

const openPostgres = (connectionString: string): FleetDatabase => {
	const pool = new Pool({
		connectionString,
		max: postgresConnectionsMax,
		connectionTimeoutMillis: connectTimeoutMs,
		// A server that lost its power closes nothing.
		keepAlive: true,
		keepAliveInitialDelayMillis: connectTimeoutMs,
		types: {getTypeParser: (oid, format) => (oid === types.builtins.INT8 ? Number : types.getTypeParser(oid, format))},
	});
	// A connection that breaks is replaced at the next query; without a listener it would end the process. The pool listens
	// to those that are idle; one that breaks within a transaction, between two statements, has nobody else.
	pool.on('error', () => undefined);
	pool.on('connect', (client) => client.on('error', () => undefined));
	return new Kysely<FleetTables>({dialect: new PostgresDialect({pool})});
};

const migrate = async (database: FleetDatabase): Promise<void> => {
	const all: Record<string, Migration> = migrations;
	const migrator = new Migrator({
		db: database,
		provider: {getMigrations: () => Promise.resolve(all)},
		allowUnorderedMigrations: true,
	});
	const {error} = await migrator.migrateToLatest();
	if (error !== undefined) {
		throw error;
	}
};
