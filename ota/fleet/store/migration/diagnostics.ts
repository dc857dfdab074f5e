import type {Kysely} from 'kysely';
import type {Migration} from 'kysely/migration';

export const diagnosticsMigration: Migration = {
	up: async (database: Kysely<unknown>): Promise<void> => {
		const {schema} = database;
		await schema
			.createTable('diagnostics_item')
			.addColumn('id', 'text', (column) => column.primaryKey())
			.addColumn('box', 'text', (column) => column.notNull())
			.addColumn('kind', 'text', (column) => column.notNull())
			.addColumn('state', 'text', (column) => column.notNull())
			.addColumn('actor', 'text', (column) => column.notNull())
			.addColumn('created_ms', 'bigint', (column) => column.notNull())
			.addColumn('ready_ms', 'bigint')
			.addColumn('size_bytes', 'bigint', (column) => column.notNull().defaultTo(0))
			.addColumn('file_name', 'text', (column) => column.notNull())
			.addColumn('error', 'text')
			.addColumn('deadline_ms', 'bigint', (column) => column.notNull())
			.addColumn('expires_ms', 'bigint', (column) => column.notNull())
			.execute();
		await schema.createIndex('diagnostics_item_created').on('diagnostics_item').columns(['created_ms', 'id']).execute();
		await schema.createIndex('diagnostics_item_box').on('diagnostics_item').columns(['box', 'created_ms']).execute();
	},
};
