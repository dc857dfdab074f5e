import {type Kysely, sql} from 'kysely';
import type {Migration} from 'kysely/migration';

export const alertMigration: Migration = {
	up: async (database: Kysely<unknown>): Promise<void> => {
		await createAlerts(database);
		await createSettings(database);
		await createChannels(database);
	},
};

const createAlerts = async ({schema}: Kysely<unknown>): Promise<void> => {
	await schema
		.createTable('alert')
		.addColumn('id', 'text', (column) => column.primaryKey())
		.addColumn('rule', 'text', (column) => column.notNull())
		.addColumn('subject', 'text', (column) => column.notNull())
		.addColumn('box', 'text')
		.addColumn('site', 'text')
		.addColumn('severity', 'text', (column) => column.notNull())
		.addColumn('message', 'text', (column) => column.notNull())
		.addColumn('value', 'double precision')
		.addColumn('state', 'text', (column) => column.notNull())
		.addColumn('since_ms', 'bigint', (column) => column.notNull())
		.addColumn('bad', 'integer', (column) => column.notNull())
		.addColumn('raised_ms', 'bigint', (column) => column.notNull())
		.addColumn('changed_ms', 'bigint', (column) => column.notNull())
		.addColumn('cleared_ms', 'bigint')
		.addColumn('count', 'integer', (column) => column.notNull())
		.addColumn('acknowledged_by', 'text')
		.addColumn('acknowledged_ms', 'bigint')
		.addColumn('acknowledged_note', 'text')
		.addColumn('group_id', 'text')
		.addColumn('boxes', 'integer')
		.addColumn('notified', 'integer', (column) => column.notNull())
		.execute();
	// Servers that see the same cause at the same time still make one alert of it.
	await schema
		.createIndex('alert_open')
		.unique()
		.on('alert')
		.columns(['rule', 'subject'])
		.where(sql.ref('state'), '<>', sql.lit('cleared'))
		.execute();
	await schema.createIndex('alert_state').on('alert').columns(['state', 'raised_ms', 'id']).execute();
	await schema.createIndex('alert_subject').on('alert').columns(['subject']).execute();
	await schema.createIndex('alert_box').on('alert').columns(['box', 'rule', 'state', 'bad']).execute();
	await schema.createIndex('alert_site').on('alert').columns(['rule', 'state', 'site']).execute();
	await schema.createIndex('alert_notified').on('alert').columns(['state', 'notified']).execute();
};

const createSettings = async ({schema}: Kysely<unknown>): Promise<void> => {
	await schema
		.createTable('alert_rule')
		.addColumn('rule', 'text', (column) => column.primaryKey())
		.addColumn('settings', 'text', (column) => column.notNull())
		.execute();
	await schema
		.createTable('alert_mute')
		.addColumn('id', 'text', (column) => column.primaryKey())
		.addColumn('rule', 'text')
		.addColumn('filter', 'text', (column) => column.notNull())
		.addColumn('until_ms', 'bigint', (column) => column.notNull())
		.addColumn('reason', 'text', (column) => column.notNull())
		.addColumn('by_name', 'text', (column) => column.notNull())
		.addColumn('created_ms', 'bigint', (column) => column.notNull())
		.execute();
};

const createChannels = async ({schema}: Kysely<unknown>): Promise<void> => {
	await schema
		.createTable('alert_channel')
		.addColumn('id', 'text', (column) => column.primaryKey())
		.addColumn('name', 'text', (column) => column.notNull())
		.addColumn('severity_min', 'text', (column) => column.notNull())
		.addColumn('target', 'text', (column) => column.notNull())
		.addColumn('secret', 'text')
		.addColumn('created_ms', 'bigint', (column) => column.notNull())
		.addColumn('last_sent_ms', 'bigint')
		.addColumn('last_error', 'text')
		.execute();
	await schema
		.createTable('alert_notification')
		.addColumn('id', 'text', (column) => column.primaryKey())
		.addColumn('channel_id', 'text', (column) => column.notNull().references('alert_channel.id').onDelete('cascade'))
		.addColumn('body', 'text', (column) => column.notNull())
		.addColumn('created_ms', 'bigint', (column) => column.notNull())
		.addColumn('attempts', 'integer', (column) => column.notNull())
		.addColumn('next_ms', 'bigint', (column) => column.notNull())
		.execute();
	await schema.createIndex('alert_notification_next').on('alert_notification').column('next_ms').execute();
};
