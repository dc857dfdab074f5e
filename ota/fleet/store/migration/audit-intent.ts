import type {Kysely} from 'kysely';
import type {Migration} from 'kysely/migration';

export const auditIntentMigration: Migration = {
	up: async ({schema}: Kysely<unknown>): Promise<void> => {
		await schema.alterTable('audit').addColumn('intent', 'bigint').execute();
		await schema.createIndex('audit_intent').on('audit').column('intent').execute();
	},
};
