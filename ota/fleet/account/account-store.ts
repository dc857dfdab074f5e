import {randomUUID} from 'node:crypto';
import type {Selectable, Transaction} from 'kysely';
import {z} from 'zod';
import type {Clock} from '#appliance/time/clock.ts';
import {type Account, type AccountRole, accountRoles, accountSchema} from '#ota/contract/account-api.ts';
import {accountError} from '#ota/fleet/account/account-error.ts';
import {nameFailureKey} from '#ota/fleet/account/login-throttle.ts';
import {editConflict, notFound} from '#ota/fleet/api/api-error.ts';
import {mayDo} from '#ota/fleet/api/identity.ts';
import {decodeCursor, pageOfRows} from '#ota/fleet/api/page-cursor.ts';
import {takeTurn} from '#ota/fleet/audit/take-turn.ts';
import type {AccountTable} from '#ota/fleet/store/account-tables.ts';
import type {FleetDatabase, FleetTables} from '#ota/fleet/store/fleet-database.ts';

export type AccountRow = Selectable<AccountTable>;
type Reader = FleetDatabase | Transaction<FleetTables>;

export type NewAccount = {
	readonly name: string;
	readonly displayName: string;
	readonly role: AccountRole;
	readonly passwordHash: string | null;
	readonly mustChangePassword: boolean;
	readonly external?: {readonly issuer: string; readonly subject: string};
};

/** Whoever counts or changes admins waits for whoever else does. */
const turnName = 'account';

export const findAccount = (database: Reader, id: string): Promise<AccountRow | undefined> =>
	database.selectFrom('account').selectAll().where('id', '=', id).executeTakeFirst();

export const findAccountByName = (database: Reader, name: string): Promise<AccountRow | undefined> =>
	database.selectFrom('account').selectAll().where('name', '=', name).executeTakeFirst();

export const findExternalAccount = (
	database: Reader,
	{issuer, subject}: {readonly issuer: string; readonly subject: string},
): Promise<AccountRow | undefined> =>
	database
		.selectFrom('account')
		.selectAll()
		.where('external_issuer', '=', issuer)
		.where('external_subject', '=', subject)
		.executeTakeFirst();

export const readAccount = async (database: Reader, {id, clock}: {id: string; clock: Clock}): Promise<Account> => {
	const row = await findAccount(database, id);
	if (row === undefined) {
		throw notFound('account');
	}
	return (await describe(database, [row], clock))[0] as Account;
};

export const listAccounts = async (
	database: FleetDatabase,
	{cursor, limit, clock}: {readonly cursor: string | undefined; readonly limit: number; readonly clock: Clock},
): Promise<{items: Account[]; nextCursor?: string}> => {
	const after = decodeCursor(cursor, z.tuple([z.string()]));
	const rows = await database
		.selectFrom('account')
		.selectAll()
		.where('name', '>', after?.[0] ?? '')
		.orderBy('name')
		.limit(limit + 1)
		.execute();
	const {items, ...page} = pageOfRows(rows, {limit, toItem: (row) => row, cursorOf: (row) => [row.name]});
	return {...page, items: await describe(database, items, clock)};
};

const describe = async (database: Reader, rows: readonly AccountRow[], clock: Clock): Promise<Account[]> => {
	const blocked = await database
		.selectFrom('login_failure')
		.select(['key', 'blocked_until_ms'])
		.where('key', 'in', [...rows.map((row) => nameFailureKey(row.name)), ''])
		.where('blocked_until_ms', '>', clock.nowMs())
		.execute();
	const until = new Map(blocked.map((row) => [row.key, row.blocked_until_ms]));
	return rows.map((row) =>
		accountSchema.parse({
			id: row.id,
			name: row.name,
			displayName: row.display_name,
			role: row.role,
			external: row.external_issuer !== null,
			disabled: row.disabled === 1,
			mustChangePassword: row.must_change_password === 1,
			createdMs: row.created_ms,
			lastLoginMs: row.last_login_ms,
			lockedUntilMs: until.get(nameFailureKey(row.name)) ?? null,
			editVersion: row.edit_version,
		}),
	);
};

export const insertAccount = async (database: Reader, account: NewAccount, nowMs: number): Promise<string> => {
	const id = randomUUID();
	const {numInsertedOrUpdatedRows} = await database
		.insertInto('account')
		.values({
			id,
			name: account.name,
			display_name: account.displayName,
			role: account.role,
			password_hash: account.passwordHash,
			external_issuer: account.external?.issuer ?? null,
			external_subject: account.external?.subject ?? null,
			disabled: 0,
			must_change_password: account.mustChangePassword ? 1 : 0,
			created_ms: nowMs,
			last_login_ms: null,
		})
		.onConflict((conflict) => conflict.doNothing())
		.executeTakeFirst();
	if (numInsertedOrUpdatedRows !== 1n) {
		throw accountError('OTA_ACCOUNT_NAME_TAKEN', {
			status: 409,
			message: `There is already an account ${account.name}.`,
		});
	}
	return id;
};

/** The first account of a fleet; undefined when there is one. Of several servers that start at once, one makes it. */
export const insertFirstAccount = (
	database: FleetDatabase,
	account: NewAccount,
	nowMs: number,
): Promise<string | undefined> =>
	database.transaction().execute(async (transaction) => {
		await takeTurn(transaction, turnName);
		const any = await transaction.selectFrom('account').select('id').limit(1).executeTakeFirst();
		return any === undefined ? insertAccount(transaction, account, nowMs) : undefined;
	});

export type AccountChange = {
	readonly displayName?: string | undefined;
	readonly role?: AccountRole | undefined;
	readonly disabled?: boolean | undefined;
	readonly keepTokens?: boolean | undefined;
};

/** What ended with a change, for the audit log. */
export type EndedAccess = {readonly sessionsEnded: number; readonly tokensEnded: number};

/**
 * Changes or removes an account, and ends its sessions and tokens where it may now do less. The last admin with a password here
 * stays: what an OIDC provider says tomorrow must not lock everybody out.
 */
export const changeAccount = (
	database: FleetDatabase,
	{
		id,
		ifMatch,
		change,
	}: {readonly id: string; readonly ifMatch: number | undefined; readonly change: AccountChange | 'remove'},
): Promise<EndedAccess> =>
	database.transaction().execute(async (transaction) => {
		await takeTurn(transaction, turnName);
		const row = await findAccount(transaction, id);
		if (row === undefined) {
			throw notFound('account');
		}
		if (row.edit_version !== ifMatch) {
			throw editConflict();
		}
		if (change === 'remove') {
			await transaction.deleteFrom('account').where('id', '=', id).execute();
		} else {
			await transaction
				.updateTable('account')
				.set({
					display_name: change.displayName ?? row.display_name,
					role: change.role ?? row.role,
					disabled: (change.disabled ?? row.disabled === 1) ? 1 : 0,
					edit_version: row.edit_version + 1,
				})
				.where('id', '=', id)
				.execute();
		}
		await keepAnAdmin(transaction);
		if (change === 'remove' || (change.disabled !== true && (change.role ?? row.role) === row.role)) {
			return {sessionsEnded: 0, tokensEnded: 0};
		}
		return {
			sessionsEnded: await endSessions(transaction, {id}),
			tokensEnded: change.keepTokens
				? 0
				: await endTokens(transaction, {id, ...(change.disabled === true ? {} : {above: change.role})}),
		};
	});

const endSessions = async (
	database: Reader,
	{id, except = ''}: {readonly id: string; readonly except?: string | undefined},
): Promise<number> => {
	const {numDeletedRows} = await database
		.deleteFrom('session')
		.where('account_id', '=', id)
		.where('id_hash', '!=', except)
		.executeTakeFirst();
	return Number(numDeletedRows);
};

/** All of them, or those that may do more than a role. */
export const endTokens = async (
	database: Reader,
	{id, above}: {readonly id: string; readonly above?: AccountRole | undefined},
): Promise<number> => {
	const roles = above === undefined ? accountRoles : accountRoles.filter((role) => !mayDo(above, role));
	if (roles.length === 0) {
		return 0;
	}
	const {numDeletedRows} = await database
		.deleteFrom('api_token')
		.where('account_id', '=', id)
		.where('role', 'in', roles)
		.executeTakeFirst();
	return Number(numDeletedRows);
};

const keepAnAdmin = async (transaction: Transaction<FleetTables>): Promise<void> => {
	const admin = await transaction
		.selectFrom('account')
		.select('id')
		.where('role', '=', 'admin')
		.where('disabled', '=', 0)
		.where('password_hash', 'is not', null)
		.limit(1)
		.executeTakeFirst();
	if (admin === undefined) {
		throw accountError('OTA_ACCOUNT_LAST_ADMIN', {
			status: 409,
			message: 'This is the last admin with a password here: make another one first.',
		});
	}
};

/** A new password ends every session but the one that it was set in; one that somebody else gives, the tokens too. */
export const setPassword = (
	database: FleetDatabase,
	options: {
		readonly id: string;
		readonly passwordHash: string;
		readonly mustChangePassword: boolean;
		readonly keepSession?: string;
		readonly keepTokens: boolean;
	},
): Promise<EndedAccess> =>
	database.transaction().execute(async (transaction) => {
		await transaction
			.updateTable('account')
			.set((expression) => ({
				password_hash: options.passwordHash,
				must_change_password: options.mustChangePassword ? 1 : 0,
				edit_version: expression('edit_version', '+', 1),
			}))
			.where('id', '=', options.id)
			.execute();
		return {
			sessionsEnded: await endSessions(transaction, {id: options.id, except: options.keepSession}),
			tokensEnded: options.keepTokens ? 0 : await endTokens(transaction, options),
		};
	});
