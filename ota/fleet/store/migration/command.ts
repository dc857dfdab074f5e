import type {Kysely} from 'kysely';
import type {Migration} from 'kysely/migration';

export const commandMigration: Migration = {
	up: async (database: Kysely<unknown>): Promise<void> => {
		await createOrders(database);
		await createCommands(database);
	},
};

const createOrders = async ({schema}: Kysely<unknown>): Promise<void> => {
	await schema
		.createTable('desired')
		.addColumn('box', 'text', (column) => column.primaryKey())
		.addColumn('update_body', 'text')
		.addColumn('config', 'text', (column) => column.notNull().defaultTo('{}'))
		.addColumn('revision', 'bigint', (column) => column.notNull().defaultTo(0))
		.addColumn('change', 'bigint', (column) => column.notNull().defaultTo(1))
		.addColumn('dirty', 'integer', (column) => column.notNull().defaultTo(1))
		.addColumn('expires_ms', 'bigint', (column) => column.notNull().defaultTo(0))
		.execute();
	await schema.createIndex('desired_dirty').on('desired').columns(['dirty', 'box']).execute();
	await schema.createIndex('desired_expires').on('desired').columns(['expires_ms']).execute();
	await schema.createIndex('desired_update').on('desired').columns(['update_body']).execute();
	await schema
		.createTable('update_body')
		.addColumn('id', 'text', (column) => column.primaryKey())
		.addColumn('body', 'text', (column) => column.notNull())
		.execute();
	await schema
		.createTable('order_key')
		.addColumn('kid', 'text', (column) => column.primaryKey())
		.addColumn('position', 'bigint', (column) => column.notNull().unique())
		.addColumn('jwk', 'text', (column) => column.notNull())
		.addColumn('rotation', 'text')
		.addColumn('created_ms', 'bigint', (column) => column.notNull())
		.execute();
};

const createCommands = async ({schema}: Kysely<unknown>): Promise<void> => {
	await schema
		.createTable('command')
		.addColumn('id', 'text', (column) => column.primaryKey())
		.addColumn('box', 'text', (column) => column.notNull())
		.addColumn('name', 'text', (column) => column.notNull())
		.addColumn('arguments', 'text', (column) => column.notNull())
		.addColumn('state', 'text', (column) => column.notNull())
		.addColumn('progress', 'double precision')
		.addColumn('result', 'text')
		.addColumn('error', 'text')
		.addColumn('actor', 'text', (column) => column.notNull())
		.addColumn('created_ms', 'bigint', (column) => column.notNull())
		.addColumn('deadline_ms', 'bigint', (column) => column.notNull())
		.addColumn('finished_ms', 'bigint')
		.addColumn('sent_count', 'integer', (column) => column.notNull().defaultTo(0))
		.addColumn('next_send_ms', 'bigint')
		.execute();
	await schema.createIndex('command_created').on('command').columns(['created_ms', 'id']).execute();
	await schema.createIndex('command_box').on('command').columns(['box', 'created_ms', 'id']).execute();
	await schema.createIndex('command_next_send').on('command').columns(['next_send_ms']).execute();
};
