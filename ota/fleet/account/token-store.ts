import {randomUUID} from 'node:crypto';
import {z} from 'zod';
import type {Clock} from '#appliance/time/clock.ts';
import {type AccountRole, type ApiToken, apiTokenSchema} from '#ota/contract/account-api.ts';
import {accountError} from '#ota/fleet/account/account-error.ts';
import type {AccountRow} from '#ota/fleet/account/account-store.ts';
import {hashSecret, makeSecret} from '#ota/fleet/account/secret.ts';
import {notFound} from '#ota/fleet/api/api-error.ts';
import {decodeCursor, pageOfRows} from '#ota/fleet/api/page-cursor.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

/** By which a secret scanner, or a person, knows where a token that was found belongs. */
export const tokenPrefix = 'svt_';
const shownCharacters = tokenPrefix.length + 6;
const tokensPerAccountMax = 50;
const usedEveryMs = 60_000;
const dayMs = 86_400_000;

export type FoundToken = {readonly account: AccountRow; readonly name: string; readonly role: string};

export type TokenStore = {
	readonly make: (options: {
		readonly accountId: string;
		readonly name: string;
		readonly role: AccountRole;
		readonly lifeDays: number;
	}) => Promise<{readonly token: string; readonly entry: ApiToken}>;
	readonly find: (token: string) => Promise<FoundToken | undefined>;
	/** Of one account, or of all. */
	readonly list: (options: {
		readonly accountId: string | undefined;
		readonly cursor: string | undefined;
		readonly limit: number;
	}) => Promise<{items: ApiToken[]; nextCursor?: string}>;
	readonly remove: (options: {readonly id: string; readonly accountId: string | undefined}) => Promise<void>;
};

export const createTokenStore = ({database, clock}: {database: FleetDatabase; clock: Clock}): TokenStore => ({
	make: async ({accountId, name, role, lifeDays}) => {
		const {count} = await database
			.selectFrom('api_token')
			.select(({fn}) => fn.countAll().as('count'))
			.where('account_id', '=', accountId)
			.executeTakeFirstOrThrow();
		if (Number(count) >= tokensPerAccountMax) {
			throw accountError('OTA_ACCOUNT_TOKENS_TOO_MANY', {
				status: 409,
				message: `An account has at most ${tokensPerAccountMax} tokens: delete those that nobody uses.`,
			});
		}
		const token = `${tokenPrefix}${makeSecret()}`;
		const id = randomUUID();
		const nowMs = clock.nowMs();
		await database
			.insertInto('api_token')
			.values({
				id,
				hash: hashSecret(token),
				name,
				prefix: token.slice(0, shownCharacters),
				role,
				account_id: accountId,
				created_ms: nowMs,
				expires_ms: nowMs + lifeDays * dayMs,
				last_used_ms: null,
			})
			.execute();
		const row = await selectTokens(database).where('api_token.id', '=', id).executeTakeFirstOrThrow();
		return {token, entry: toToken(row)};
	},
	find: (token) => findToken(database, {token, nowMs: clock.nowMs()}),
	list: async ({accountId, cursor, limit}) => {
		const after = decodeCursor(cursor, z.tuple([z.string()]));
		let query = selectTokens(database)
			.where('api_token.id', '>', after?.[0] ?? '')
			.orderBy('api_token.id');
		if (accountId !== undefined) {
			query = query.where('api_token.account_id', '=', accountId);
		}
		return pageOfRows(await query.limit(limit + 1).execute(), {limit, toItem: toToken, cursorOf: (row) => [row.id]});
	},
	remove: async ({id, accountId}) => {
		let query = database.deleteFrom('api_token').where('id', '=', id);
		if (accountId !== undefined) {
			query = query.where('account_id', '=', accountId);
		}
		const {numDeletedRows} = await query.executeTakeFirst();
		if (numDeletedRows === 0n) {
			throw notFound('token');
		}
	},
});

const findToken = async (
	database: FleetDatabase,
	{token, nowMs}: {readonly token: string; readonly nowMs: number},
): Promise<FoundToken | undefined> => {
	const row = await database
		.selectFrom('api_token')
		.selectAll()
		.where('hash', '=', hashSecret(token))
		.where('expires_ms', '>', nowMs)
		.executeTakeFirst();
	if (row === undefined) {
		return undefined;
	}
	const account = await database
		.selectFrom('account')
		.selectAll()
		.where('id', '=', row.account_id)
		.where('disabled', '=', 0)
		.executeTakeFirst();
	if (account !== undefined && (row.last_used_ms ?? 0) <= nowMs - usedEveryMs) {
		await database.updateTable('api_token').set({last_used_ms: nowMs}).where('id', '=', row.id).execute();
	}
	return account && {account, name: row.name, role: row.role};
};

type TokenRow = Awaited<ReturnType<ReturnType<typeof selectTokens>['executeTakeFirstOrThrow']>>;

const selectTokens = (database: FleetDatabase) =>
	database
		.selectFrom('api_token')
		.innerJoin('account', 'account.id', 'api_token.account_id')
		.select([
			'api_token.id',
			'api_token.name',
			'api_token.prefix',
			'api_token.role',
			'api_token.account_id',
			'account.name as account_name',
			'api_token.created_ms',
			'api_token.expires_ms',
			'api_token.last_used_ms',
		]);

const toToken = (row: TokenRow): ApiToken =>
	apiTokenSchema.parse({
		id: row.id,
		name: row.name,
		prefix: row.prefix,
		role: row.role,
		accountId: row.account_id,
		accountName: row.account_name,
		createdMs: row.created_ms,
		expiresMs: row.expires_ms,
		lastUsedMs: row.last_used_ms,
	});
