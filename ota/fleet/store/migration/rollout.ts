import type {Kysely} from 'kysely';
import type {Migration} from 'kysely/migration';

export const rolloutMigration: Migration = {
	up: async (database: Kysely<unknown>): Promise<void> => {
		await createRollouts(database);
		await createRolloutBoxes(database);
	},
};

const createRollouts = async ({schema}: Kysely<unknown>): Promise<void> => {
	await schema
		.createTable('rollout')
		.addColumn('id', 'text', (column) => column.primaryKey())
		.addColumn('name', 'text', (column) => column.notNull())
		.addColumn('release', 'text', (column) => column.notNull())
		.addColumn('kind', 'text', (column) => column.notNull())
		.addColumn('state', 'text', (column) => column.notNull())
		.addColumn('spec', 'text', (column) => column.notNull())
		.addColumn('reason', 'text')
		.addColumn('created_by', 'text', (column) => column.notNull())
		.addColumn('created_by_id', 'text', (column) => column.notNull())
		.addColumn('created_ms', 'bigint', (column) => column.notNull())
		.addColumn('approval', 'text')
		.addColumn('started_ms', 'bigint')
		.addColumn('ended_ms', 'bigint')
		.addColumn('edit_version', 'bigint', (column) => column.notNull().defaultTo(1))
		.addColumn('turn', 'bigint', (column) => column.notNull().defaultTo(0))
		.execute();
	await schema.createIndex('rollout_created').on('rollout').columns(['created_ms', 'id']).execute();
	await schema.createIndex('rollout_state').on('rollout').columns(['state']).execute();
	await schema
		.createTable('rollout_group')
		.addColumn('rollout', 'text', (column) => column.notNull())
		.addColumn('ordinal', 'integer', (column) => column.notNull())
		.addColumn('share_from', 'double precision', (column) => column.notNull())
		.addColumn('share_to', 'double precision', (column) => column.notNull())
		.addColumn('state', 'text', (column) => column.notNull())
		.addColumn('waived', 'integer', (column) => column.notNull().defaultTo(0))
		.addColumn('started_ms', 'bigint')
		.addColumn('ended_ms', 'bigint')
		.addColumn('broadcast', 'text')
		.addPrimaryKeyConstraint('rollout_group_key', ['rollout', 'ordinal'])
		.execute();
};

const createRolloutBoxes = async ({schema}: Kysely<unknown>): Promise<void> => {
	await schema
		.createTable('rollout_box')
		.addColumn('rollout', 'text', (column) => column.notNull())
		.addColumn('box', 'text', (column) => column.notNull())
		.addColumn('ordinal', 'integer', (column) => column.notNull())
		.addColumn('share', 'double precision', (column) => column.notNull())
		.addColumn('state', 'text', (column) => column.notNull())
		.addColumn('phase', 'text')
		.addColumn('attempt', 'integer', (column) => column.notNull().defaultTo(0))
		.addColumn('reason', 'text')
		.addColumn('ordered_ms', 'bigint')
		.addColumn('since_ms', 'bigint', (column) => column.notNull().defaultTo(0))
		.addColumn('changed_ms', 'bigint', (column) => column.notNull())
		.addColumn('next_ms', 'bigint')
		.addColumn('carousel_bytes', 'bigint', (column) => column.notNull().defaultTo(0))
		.addColumn('local_bytes', 'bigint', (column) => column.notNull().defaultTo(0))
		.addColumn('unicast_bytes', 'bigint', (column) => column.notNull().defaultTo(0))
		// One row per box and rollout, whatever crashes: the attempts are counted in it.
		.addPrimaryKeyConstraint('rollout_box_key', ['rollout', 'box'])
		.execute();
	await schema
		.createIndex('rollout_box_queue')
		.on('rollout_box')
		.columns(['rollout', 'state', 'ordinal', 'share'])
		.execute();
	await schema.createIndex('rollout_box_next').on('rollout_box').columns(['rollout', 'state', 'next_ms']).execute();
	await schema.createIndex('rollout_box_box').on('rollout_box').columns(['box', 'state']).execute();
};
