import type {Clock} from '#appliance/time/clock.ts';
import {accountError} from '#ota/fleet/account/account-error.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

/** Wrong passwords that cost nothing: people mistype. */
const freeFailures = 4;
/** An address may stand for a whole office behind one NAT. */
const freeFailuresOfAddress = 19;
const firstBlockMs = 5000;
/** Short enough that whoever guesses cannot shut the owner out for long. */
const blockMsMax = 15 * 60_000;
/** Failures older than this are forgotten. */
const memoryMs = 24 * 3_600_000;

export type LoginThrottle = {
	/** Throws 429 while the name or the address is blocked. */
	readonly check: (attempt: LoginAttempt) => Promise<void>;
	readonly fail: (attempt: LoginAttempt) => Promise<void>;
	readonly succeed: (attempt: LoginAttempt) => Promise<void>;
	readonly sweep: () => Promise<void>;
};

export type LoginAttempt = {readonly name: string; readonly address: string};

export const nameFailureKey = (name: string): string => `name:${name}`;
const addressFailureKey = (address: string): string => `address:${address}`;

/** Each wrong password beyond the free ones doubles the wait, for the name and for the address, over all servers. */
export const createLoginThrottle = ({
	database,
	clock,
}: {
	readonly database: FleetDatabase;
	readonly clock: Clock;
}): LoginThrottle => ({
	check: async ({name, address}) => {
		const nowMs = clock.nowMs();
		const blocked = await database
			.selectFrom('login_failure')
			.select(({fn}) => fn.max('blocked_until_ms').as('until'))
			.where('key', 'in', [nameFailureKey(name), addressFailureKey(address)])
			.executeTakeFirst();
		const waitMs = Number(blocked?.until ?? 0) - nowMs;
		if (waitMs > 0) {
			throw accountError('OTA_ACCOUNT_SIGN_IN_BLOCKED', {
				status: 429,
				message: 'Too many wrong passwords: wait as Retry-After says.',
				retryAfterSeconds: Math.ceil(waitMs / 1000),
			});
		}
	},
	fail: async ({name, address}) => {
		await count(database, {key: nameFailureKey(name), free: freeFailures, nowMs: clock.nowMs()});
		await count(database, {key: addressFailureKey(address), free: freeFailuresOfAddress, nowMs: clock.nowMs()});
	},
	succeed: async ({name}) => {
		await database.deleteFrom('login_failure').where('key', '=', nameFailureKey(name)).execute();
	},
	sweep: async () => {
		await database
			.deleteFrom('login_failure')
			.where('last_ms', '<', clock.nowMs() - memoryMs)
			.execute();
	},
});

const count = (
	database: FleetDatabase,
	{key, free, nowMs}: {readonly key: string; readonly free: number; readonly nowMs: number},
): Promise<void> =>
	database.transaction().execute(async (transaction) => {
		const {failures} = await transaction
			.insertInto('login_failure')
			.values({key, failures: 1, last_ms: nowMs, blocked_until_ms: 0})
			.onConflict((conflict) =>
				conflict.column('key').doUpdateSet((expression) => ({
					failures: expression('login_failure.failures', '+', 1),
					last_ms: nowMs,
				})),
			)
			.returning('failures')
			.executeTakeFirstOrThrow();
		const over = failures - free;
		if (over > 0) {
			await transaction
				.updateTable('login_failure')
				.set({blocked_until_ms: nowMs + Math.min(blockMsMax, firstBlockMs * 2 ** Math.min(over - 1, 32))})
				.where('key', '=', key)
				.execute();
		}
	});
