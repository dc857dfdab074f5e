import {type Kysely, sql} from 'kysely';
import type {Migration} from 'kysely/migration';

export const registryMigration: Migration = {
	up: async (database: Kysely<unknown>): Promise<void> => {
		await createBoxes(database);
		await createWhatBoxesSend(database);
		await createSpools(database);
		await createServers(database);
	},
};

const createBoxes = async (database: Kysely<unknown>): Promise<void> => {
	const {schema} = database;
	await schema
		.createTable('site')
		.addColumn('id', 'text', (column) => column.primaryKey())
		.addColumn('name', 'text', (column) => column.notNull())
		.addColumn('latitude', 'double precision', (column) => column.notNull())
		.addColumn('longitude', 'double precision', (column) => column.notNull())
		.addColumn('time_zone', 'text', (column) => column.notNull())
		.addColumn('windows', 'text')
		.addColumn('edit_version', 'bigint', (column) => column.notNull().defaultTo(1))
		.execute();
	await schema
		.createTable('box')
		.addColumn('id', 'text', (column) => column.primaryKey())
		.addColumn('kind', 'text', (column) => column.notNull())
		.addColumn('site', 'text')
		.addColumn('tags', 'text', (column) => column.notNull().defaultTo('[]'))
		.addColumn('model', 'text', (column) => column.notNull().defaultTo(''))
		.addColumn('serial', 'text', (column) => column.notNull().defaultTo(''))
		.addColumn('release', 'text', (column) => column.notNull().defaultTo(''))
		.addColumn('release_key', 'text')
		.addColumn('presence', 'text', (column) => column.notNull().defaultTo('never'))
		.addColumn('presence_session', 'text')
		.addColumn('presence_ms', 'bigint')
		.addColumn('last_seen_ms', 'bigint')
		.addColumn('health', 'text', (column) => column.notNull().defaultTo('unknown'))
		.addColumn('report_health', 'text', (column) => column.notNull().defaultTo('unknown'))
		.addColumn('alarm_health', 'text', (column) => column.notNull().defaultTo('ok'))
		.addColumn('update_phase', 'text', (column) => column.notNull().defaultTo('idle'))
		.addColumn('update_order', 'text')
		.addColumn('update_release', 'text')
		.addColumn('update_release_key', 'text')
		.addColumn('update_reason', 'text')
		.addColumn('update_since_ms', 'bigint', (column) => column.notNull().defaultTo(0))
		.addColumn('time_zone', 'text', (column) => column.notNull().defaultTo('UTC'))
		.addColumn('reported_revision', 'bigint', (column) => column.notNull().defaultTo(0))
		.addColumn('desired_revision', 'bigint', (column) => column.notNull().defaultTo(0))
		.addColumn('desired_kept', 'bigint', (column) => column.notNull().defaultTo(0))
		.addColumn('enrolled_ms', 'bigint', (column) => column.notNull())
		.addColumn('revoked_ms', 'bigint')
		.addColumn('edit_version', 'bigint', (column) => column.notNull().defaultTo(1))
		.execute();
	for (const column of ['kind', 'release', 'presence', 'health', 'model', 'update_phase']) {
		await schema.createIndex(`box_${column}`).on('box').columns([column, 'id']).execute();
	}
	// Null sorts first on one engine and last on the other: lists sort by these expressions.
	await sql`create index box_site on box (coalesce(site, ''), id)`.execute(database);
	await sql`create index box_last_seen on box (coalesce(last_seen_ms, 0), id)`.execute(database);
	// The overview reads these two alone.
	await schema
		.createIndex('box_by_kind')
		.on('box')
		.columns(['kind', 'release', 'health', 'presence', 'revoked_ms'])
		.execute();
	await schema.createIndex('box_by_site').on('box').columns(['site', 'health', 'presence', 'revoked_ms']).execute();
};

const createWhatBoxesSend = async ({schema}: Kysely<unknown>): Promise<void> => {
	await schema
		.createTable('box_report')
		.addColumn('box', 'text', (column) => column.primaryKey())
		.addColumn('reported', 'text', (column) => column.notNull())
		.execute();
	await schema
		.createTable('box_alarm')
		.addColumn('box', 'text', (column) => column.notNull())
		.addColumn('alarm', 'text', (column) => column.notNull())
		.addColumn('severity', 'text', (column) => column.notNull())
		.addColumn('message', 'text', (column) => column.notNull())
		.addColumn('since_ms', 'bigint', (column) => column.notNull())
		.addPrimaryKeyConstraint('box_alarm_key', ['box', 'alarm'])
		.execute();
	await schema
		.createTable('telemetry')
		.addColumn('box', 'text', (column) => column.notNull())
		.addColumn('at_ms', 'bigint', (column) => column.notNull())
		.addColumn('metrics', 'text', (column) => column.notNull())
		.addPrimaryKeyConstraint('telemetry_key', ['box', 'at_ms'])
		.execute();
	await schema
		.createTable('box_event')
		.addColumn('box', 'text', (column) => column.notNull())
		.addColumn('epoch', 'text', (column) => column.notNull())
		.addColumn('sequence', 'bigint', (column) => column.notNull())
		.addColumn('at_ms', 'bigint', (column) => column.notNull())
		.addColumn('received_ms', 'bigint', (column) => column.notNull())
		.addColumn('severity', 'text', (column) => column.notNull())
		.addColumn('kind', 'text', (column) => column.notNull())
		.addColumn('data', 'text', (column) => column.notNull())
		.addPrimaryKeyConstraint('box_event_key', ['box', 'epoch', 'sequence'])
		.execute();
	await schema.createIndex('box_event_at').on('box_event').columns(['box', 'at_ms', 'epoch', 'sequence']).execute();
	await schema.createIndex('box_event_received').on('box_event').columns(['received_ms']).execute();
};

const createSpools = async ({schema}: Kysely<unknown>): Promise<void> => {
	await schema
		.createTable('spool_position')
		.addColumn('box', 'text', (column) => column.primaryKey())
		.addColumn('epoch', 'text', (column) => column.notNull())
		.addColumn('telemetry', 'bigint', (column) => column.notNull())
		.addColumn('event', 'bigint', (column) => column.notNull())
		.execute();
	await schema
		.createTable('spool_ahead')
		.addColumn('box', 'text', (column) => column.notNull())
		.addColumn('topic', 'text', (column) => column.notNull())
		.addColumn('epoch', 'text', (column) => column.notNull())
		.addColumn('sequence', 'bigint', (column) => column.notNull())
		.addColumn('after_sequence', 'bigint', (column) => column.notNull())
		.addPrimaryKeyConstraint('spool_ahead_key', ['box', 'topic', 'epoch', 'sequence'])
		.execute();
	await schema
		.createTable('malformed')
		.addColumn('box', 'text', (column) => column.notNull())
		.addColumn('topic', 'text', (column) => column.notNull())
		.addColumn('reason', 'text', (column) => column.notNull())
		.addColumn('last_ms', 'bigint', (column) => column.notNull())
		.addColumn('count', 'bigint', (column) => column.notNull())
		.addPrimaryKeyConstraint('malformed_key', ['box', 'topic'])
		.execute();
};

const createServers = async ({schema}: Kysely<unknown>): Promise<void> => {
	await schema
		.createTable('server')
		.addColumn('id', 'text', (column) => column.primaryKey())
		.addColumn('started_ms', 'bigint', (column) => column.notNull())
		.addColumn('renewed_ms', 'bigint', (column) => column.notNull())
		.addColumn('url', 'text', (column) => column.notNull())
		.execute();
	await schema
		.createTable('lease')
		.addColumn('name', 'text', (column) => column.primaryKey())
		.addColumn('holder', 'text', (column) => column.notNull())
		.addColumn('expires_ms', 'bigint', (column) => column.notNull())
		.execute();
	await schema
		.createTable('counter')
		.addColumn('name', 'text', (column) => column.primaryKey())
		.addColumn('value', 'bigint', (column) => column.notNull())
		.execute();
};
