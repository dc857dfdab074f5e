import type {Kysely} from 'kysely';
import type {Migration} from 'kysely/migration';

/** Of the rows of a new rollout none waits for a time: they cost nothing in an index of those that do. */
export const rolloutIndexMigration: Migration = {
	up: async ({schema}: Kysely<unknown>): Promise<void> => {
		await schema.dropIndex('rollout_box_next').execute();
		await schema
			.createIndex('rollout_box_next')
			.on('rollout_box')
			.columns(['rollout', 'state', 'next_ms'])
			.where('next_ms' as never, 'is not', null)
			.execute();
	},
};
