import type {Kysely} from 'kysely';
import type {Migration} from 'kysely/migration';

export const releaseMigration: Migration = {
	up: async ({schema}: Kysely<unknown>): Promise<void> => {
		await schema
			.createTable('release')
			.addColumn('release', 'text', (column) => column.primaryKey())
			.addColumn('state', 'text', (column) => column.notNull())
			.addColumn('manifest', 'text', (column) => column.notNull())
			.addColumn('signature', 'text', (column) => column.notNull())
			.addColumn('signer', 'text', (column) => column.notNull())
			.addColumn('created_by', 'text', (column) => column.notNull())
			.addColumn('created_ms', 'bigint', (column) => column.notNull())
			.addColumn('published_ms', 'bigint')
			.addColumn('withdrawn_by', 'text')
			.addColumn('withdrawn_ms', 'bigint')
			.addColumn('withdrawn_reason', 'text')
			.execute();
		await schema.createIndex('release_created').on('release').columns(['created_ms', 'release']).execute();
		await schema
			.createTable('release_artifact')
			.addColumn('release', 'text', (column) => column.notNull())
			.addColumn('sha256', 'text', (column) => column.notNull())
			.addColumn('size_bytes', 'bigint', (column) => column.notNull())
			.addPrimaryKeyConstraint('release_artifact_key', ['release', 'sha256'])
			.execute();
		await schema.createIndex('release_artifact_sha256').on('release_artifact').columns(['sha256']).execute();
		await schema
			.createTable('artifact_traffic')
			.addColumn('box', 'text', (column) => column.notNull())
			.addColumn('sha256', 'text', (column) => column.notNull())
			.addColumn('bytes', 'bigint', (column) => column.notNull())
			.addColumn('requests', 'bigint', (column) => column.notNull())
			.addColumn('last_ms', 'bigint', (column) => column.notNull())
			.addPrimaryKeyConstraint('artifact_traffic_key', ['box', 'sha256'])
			.execute();
	},
};
