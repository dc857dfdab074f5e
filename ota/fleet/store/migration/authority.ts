import type {Kysely} from 'kysely';
import type {Migration} from 'kysely/migration';

export const authorityMigration: Migration = {
	up: async (database: Kysely<unknown>): Promise<void> => {
		await createClaims(database);
		await createCertificates(database);
		await createAuthority(database);
	},
};

const createClaims = async ({schema}: Kysely<unknown>): Promise<void> => {
	await schema
		.createTable('claim')
		.addColumn('id', 'text', (column) => column.primaryKey())
		.addColumn('token_hash', 'text', (column) => column.notNull().unique())
		.addColumn('device_id', 'text')
		.addColumn('kind', 'text', (column) => column.notNull())
		.addColumn('site', 'text')
		.addColumn('tags', 'text', (column) => column.notNull())
		.addColumn('replaces', 'integer', (column) => column.notNull())
		.addColumn('created_ms', 'bigint', (column) => column.notNull())
		.addColumn('created_by', 'text', (column) => column.notNull())
		.addColumn('expires_ms', 'bigint', (column) => column.notNull())
		.addColumn('used_ms', 'bigint')
		.addColumn('used_by', 'text')
		.addColumn('used_key', 'text')
		.addColumn('certificate_serial', 'text')
		.execute();
	await schema.createIndex('claim_created').on('claim').columns(['created_ms', 'id']).execute();
	await schema.createIndex('claim_device').on('claim').columns(['device_id']).execute();
};

const createCertificates = async ({schema}: Kysely<unknown>): Promise<void> => {
	await schema
		.createTable('certificate')
		.addColumn('serial', 'text', (column) => column.primaryKey())
		.addColumn('box', 'text', (column) => column.notNull())
		.addColumn('fingerprint', 'text', (column) => column.notNull().unique())
		.addColumn('key_hash', 'text', (column) => column.notNull())
		.addColumn('not_before_ms', 'bigint', (column) => column.notNull())
		.addColumn('not_after_ms', 'bigint', (column) => column.notNull())
		.addColumn('issued_ms', 'bigint', (column) => column.notNull())
		.addColumn('origin', 'text', (column) => column.notNull())
		.addColumn('pem', 'text', (column) => column.notNull())
		.addColumn('superseded_ms', 'bigint')
		.addColumn('revoked_ms', 'bigint')
		.addColumn('revoked_reason', 'text')
		.addColumn('cut_pending', 'integer', (column) => column.notNull().defaultTo(0))
		.execute();
	await schema.createIndex('certificate_box').on('certificate').columns(['box', 'issued_ms', 'serial']).execute();
	await schema.createIndex('certificate_revoked').on('certificate').columns(['revoked_ms']).execute();
	await schema.createIndex('certificate_cut').on('certificate').columns(['cut_pending']).execute();
};

const createAuthority = async ({schema}: Kysely<unknown>): Promise<void> => {
	await schema
		.createTable('revocation_list')
		.addColumn('id', 'text', (column) => column.primaryKey())
		.addColumn('number', 'bigint', (column) => column.notNull())
		.addColumn('canary', 'text', (column) => column.notNull())
		.addColumn('this_update_ms', 'bigint', (column) => column.notNull())
		.addColumn('next_update_ms', 'bigint', (column) => column.notNull())
		.addColumn('revoked_count', 'bigint', (column) => column.notNull())
		.addColumn('entries', 'bigint', (column) => column.notNull())
		.addColumn('pem', 'text', (column) => column.notNull())
		.execute();
	await schema
		.createTable('authority')
		.addColumn('id', 'text', (column) => column.primaryKey())
		.addColumn('value', 'text', (column) => column.notNull())
		.execute();
};
