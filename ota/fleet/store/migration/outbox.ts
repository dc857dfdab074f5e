import {type Kysely, SqliteAdapter} from 'kysely';
import type {Migration} from 'kysely/migration';

export const outboxMigration: Migration = {
	up: async (database: Kysely<unknown>): Promise<void> => {
		const isSqlite = database.getExecutor().adapter instanceof SqliteAdapter;
		await database.schema
			.createTable('outbox')
			// A number is never given twice, also after the highest row was sent and deleted.
			.addColumn('id', isSqlite ? 'integer' : 'bigserial', (column) =>
				isSqlite ? column.primaryKey().autoIncrement() : column.primaryKey(),
			)
			.addColumn('topic', 'text', (column) => column.notNull())
			.addColumn('box', 'text', (column) => column.notNull())
			.addColumn('message_id', 'text', (column) => column.notNull())
			.addColumn('payload', 'text', (column) => column.notNull())
			.addColumn('size_bytes', 'integer', (column) => column.notNull())
			.addColumn('at_ms', 'bigint', (column) => column.notNull())
			.execute();
		await database.schema.createIndex('outbox_topic').on('outbox').columns(['topic', 'id', 'size_bytes']).execute();
	},
};
