import type {Kysely} from 'kysely';
import type {Migration} from 'kysely/migration';

export const rolloutAttemptBytesMigration: Migration = {
	up: async ({schema}: Kysely<unknown>): Promise<void> => {
		await schema.alterTable('rollout_box').addColumn('attempt_bytes', 'text').execute();
	},
};
