import type {Clock} from '#appliance/time/clock.ts';
import type {AccountRow} from '#ota/fleet/account/account-store.ts';
import {hashSecret, makeSecret} from '#ota/fleet/account/secret.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

export type SessionLimits = {
	/** Signed out after so long without a request. */
	readonly idleMs: number;
	/** Signed out after so long whatever happens. */
	readonly absoluteMs: number;
};

export const defaultSessionLimits: SessionLimits = {idleMs: 12 * 3_600_000, absoluteMs: 7 * 86_400_000};
/** How stale `seen_ms` may be: not every request shall write. */
const seenEveryMs = 60_000;
/** Beyond it the oldest session of an account ends. */
const sessionsPerAccountMax = 20;

export type FoundSession = {readonly account: AccountRow; readonly idHash: string; readonly expiresMs: number};

export type SessionStore = {
	/** Answers the secret that the cookie carries. */
	readonly begin: (options: {readonly accountId: string; readonly address: string}) => Promise<string>;
	readonly find: (secret: string) => Promise<FoundSession | undefined>;
	readonly end: (idHash: string) => Promise<void>;
	readonly sweep: () => Promise<void>;
};

export const createSessionStore = (options: {
	readonly database: FleetDatabase;
	readonly clock: Clock;
	readonly limits: SessionLimits;
}): SessionStore => {
	const {database, clock, limits} = options;
	return {
		begin: async ({accountId, address}) => {
			const secret = makeSecret();
			const nowMs = clock.nowMs();
			await database
				.insertInto('session')
				.values({id_hash: hashSecret(secret), account_id: accountId, created_ms: nowMs, seen_ms: nowMs, address})
				.execute();
			await database.updateTable('account').set({last_login_ms: nowMs}).where('id', '=', accountId).execute();
			await endOldest(database, accountId);
			return secret;
		},
		find: (secret) => findSession(options, hashSecret(secret)),
		end: async (idHash) => {
			await database.deleteFrom('session').where('id_hash', '=', idHash).execute();
		},
		sweep: async () => {
			const nowMs = clock.nowMs();
			await database
				.deleteFrom('session')
				.where((expression) =>
					expression.or([
						expression('seen_ms', '<=', nowMs - limits.idleMs),
						expression('created_ms', '<=', nowMs - limits.absoluteMs),
					]),
				)
				.execute();
		},
	};
};

const findSession = async (
	{database, clock, limits}: Parameters<typeof createSessionStore>[0],
	idHash: string,
): Promise<FoundSession | undefined> => {
	const nowMs = clock.nowMs();
	const session = await database.selectFrom('session').selectAll().where('id_hash', '=', idHash).executeTakeFirst();
	if (
		session === undefined ||
		session.seen_ms <= nowMs - limits.idleMs ||
		session.created_ms <= nowMs - limits.absoluteMs
	) {
		return undefined;
	}
	const account = await database
		.selectFrom('account')
		.selectAll()
		.where('id', '=', session.account_id)
		.where('disabled', '=', 0)
		.executeTakeFirst();
	if (account === undefined) {
		return undefined;
	}
	if (session.seen_ms <= nowMs - seenEveryMs) {
		await database.updateTable('session').set({seen_ms: nowMs}).where('id_hash', '=', idHash).execute();
	}
	return {account, idHash, expiresMs: Math.min(nowMs + limits.idleMs, session.created_ms + limits.absoluteMs)};
};

const endOldest = async (database: FleetDatabase, accountId: string): Promise<void> => {
	const surplus = await database
		.selectFrom('session')
		.select('id_hash')
		.where('account_id', '=', accountId)
		.orderBy('created_ms', 'desc')
		.orderBy('seen_ms', 'desc')
		.offset(sessionsPerAccountMax)
		.limit(1000)
		.execute();
	if (surplus.length > 0) {
		await database
			.deleteFrom('session')
			.where(
				'id_hash',
				'in',
				surplus.map((row) => row.id_hash),
			)
			.execute();
	}
};
