import {type Kysely, SqliteAdapter, sql} from 'kysely';
import type {Migration} from 'kysely/migration';

export const accountMigration: Migration = {
	up: async (database: Kysely<unknown>): Promise<void> => {
		await createAccounts(database);
		await createSignIns(database);
		await createAudit(database);
		await forbidChangesOfAudit(database);
	},
};

const createAccounts = async ({schema}: Kysely<unknown>): Promise<void> => {
	await schema
		.createTable('account')
		.addColumn('id', 'text', (column) => column.primaryKey())
		.addColumn('name', 'text', (column) => column.notNull().unique())
		.addColumn('display_name', 'text', (column) => column.notNull())
		.addColumn('role', 'text', (column) => column.notNull())
		.addColumn('password_hash', 'text')
		.addColumn('external_issuer', 'text')
		.addColumn('external_subject', 'text')
		.addColumn('disabled', 'integer', (column) => column.notNull().defaultTo(0))
		.addColumn('must_change_password', 'integer', (column) => column.notNull().defaultTo(0))
		.addColumn('created_ms', 'bigint', (column) => column.notNull())
		.addColumn('last_login_ms', 'bigint')
		.addColumn('edit_version', 'bigint', (column) => column.notNull().defaultTo(1))
		.addUniqueConstraint('account_external', ['external_issuer', 'external_subject'])
		.execute();
	await schema
		.createTable('api_token')
		.addColumn('id', 'text', (column) => column.primaryKey())
		.addColumn('hash', 'text', (column) => column.notNull().unique())
		.addColumn('name', 'text', (column) => column.notNull())
		.addColumn('prefix', 'text', (column) => column.notNull())
		.addColumn('role', 'text', (column) => column.notNull())
		.addColumn('account_id', 'text', (column) => column.notNull().references('account.id').onDelete('cascade'))
		.addColumn('created_ms', 'bigint', (column) => column.notNull())
		.addColumn('expires_ms', 'bigint', (column) => column.notNull())
		.addColumn('last_used_ms', 'bigint')
		.execute();
};

const createSignIns = async ({schema}: Kysely<unknown>): Promise<void> => {
	await schema
		.createTable('session')
		.addColumn('id_hash', 'text', (column) => column.primaryKey())
		.addColumn('account_id', 'text', (column) => column.notNull().references('account.id').onDelete('cascade'))
		.addColumn('created_ms', 'bigint', (column) => column.notNull())
		.addColumn('seen_ms', 'bigint', (column) => column.notNull())
		.addColumn('address', 'text', (column) => column.notNull())
		.execute();
	await schema.createIndex('session_account').on('session').column('account_id').execute();
	await schema
		.createTable('login_failure')
		.addColumn('key', 'text', (column) => column.primaryKey())
		.addColumn('failures', 'integer', (column) => column.notNull())
		.addColumn('last_ms', 'bigint', (column) => column.notNull())
		.addColumn('blocked_until_ms', 'bigint', (column) => column.notNull())
		.execute();
	await schema
		.createTable('oidc_login')
		.addColumn('id_hash', 'text', (column) => column.primaryKey())
		.addColumn('verifier', 'text', (column) => column.notNull())
		.addColumn('nonce', 'text', (column) => column.notNull())
		.addColumn('return_to', 'text', (column) => column.notNull())
		.addColumn('created_ms', 'bigint', (column) => column.notNull())
		.execute();
};

const createAudit = async ({schema}: Kysely<unknown>): Promise<void> => {
	await schema
		.createTable('audit')
		.addColumn('sequence', 'bigint', (column) => column.primaryKey())
		.addColumn('at_ms', 'bigint', (column) => column.notNull())
		.addColumn('actor_id', 'text', (column) => column.notNull())
		.addColumn('actor_name', 'text', (column) => column.notNull())
		.addColumn('actor_role', 'text', (column) => column.notNull())
		.addColumn('action', 'text', (column) => column.notNull())
		.addColumn('method', 'text', (column) => column.notNull())
		.addColumn('path', 'text', (column) => column.notNull())
		.addColumn('box', 'text')
		.addColumn('outcome', 'text', (column) => column.notNull())
		.addColumn('status', 'integer', (column) => column.notNull())
		.addColumn('code', 'text')
		.addColumn('address', 'text', (column) => column.notNull())
		.addColumn('detail', 'text', (column) => column.notNull())
		.addColumn('hash', 'text', (column) => column.notNull())
		.execute();
	for (const column of ['box', 'actor_name', 'action', 'at_ms']) {
		await schema.createIndex(`audit_${column}`).on('audit').columns([column, 'sequence']).execute();
	}
};

/** The one place where the engines differ: the database itself refuses, whoever asks. */
const forbidChangesOfAudit = async (database: Kysely<unknown>): Promise<void> => {
	if (database.getExecutor().adapter instanceof SqliteAdapter) {
		for (const change of ['update', 'delete']) {
			await sql
				.raw(
					`create trigger audit_no_${change} before ${change} on audit begin select raise(abort, 'the audit log only grows'); end`,
				)
				.execute(database);
		}
		return;
	}
	await sql
		.raw(`create function audit_only_grows() returns trigger language plpgsql as
			$$ begin raise exception 'the audit log only grows'; end $$`)
		.execute(database);
	await sql
		.raw(
			'create trigger audit_no_change before update or delete on audit for each row execute function audit_only_grows()',
		)
		.execute(database);
	await sql
		.raw(
			'create trigger audit_no_truncate before truncate on audit for each statement execute function audit_only_grows()',
		)
		.execute(database);
};
