import type {Kysely} from 'kysely';
import type {Migration} from 'kysely/migration';

export const boxSilentMigration: Migration = {
	up: async ({schema}: Kysely<unknown>): Promise<void> => {
		await schema.alterTable('box').addColumn('silent_ms', 'bigint').execute();
	},
};
