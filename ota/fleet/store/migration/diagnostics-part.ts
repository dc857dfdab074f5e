import type {Kysely} from 'kysely';
import type {Migration} from 'kysely/migration';

export const diagnosticsPartMigration: Migration = {
	up: async ({schema}: Kysely<unknown>): Promise<void> => {
		await schema
			.createTable('diagnostics_part')
			.addColumn('key', 'text', (column) => column.primaryKey())
			.addColumn('item', 'text', (column) => column.notNull())
			.addColumn('start_bytes', 'bigint', (column) => column.notNull())
			.addColumn('size_bytes', 'bigint', (column) => column.notNull().defaultTo(0))
			.execute();
		await schema.createIndex('diagnostics_part_item').on('diagnostics_part').columns(['item', 'start_bytes']).execute();
	},
};
