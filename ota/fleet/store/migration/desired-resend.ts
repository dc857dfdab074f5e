import type {Kysely} from 'kysely';
import type {Migration} from 'kysely/migration';

export const desiredResendMigration: Migration = {
	up: async ({schema}: Kysely<unknown>): Promise<void> => {
		await schema
			.alterTable('desired')
			.addColumn('resend_after_ms', 'bigint', (column) => column.notNull().defaultTo(60_000))
			.execute();
	},
};
