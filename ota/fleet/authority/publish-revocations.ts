import type {Selectable} from 'kysely';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {dayMs} from '#ota/fleet/authority/authority-config.ts';
import type {AuthorityErrorCode} from '#ota/fleet/authority/authority-error.ts';
import {type Issuer, makeSerial} from '#ota/fleet/authority/make-certificate.ts';
import {makeRevocationList, type RevokedEntry, toRevocationReason} from '#ota/fleet/authority/revocation-list.ts';
import type {RevocationListTable} from '#ota/fleet/store/authority-tables.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

export type RevocationList = Selectable<RevocationListTable>;

/**
 * A list is dated back, so that a broker whose clock is behind takes it, and so that many of them in a minute can each
 * be a second younger than the one before: OpenSSL prefers the younger of two lists of one issuer.
 */
const backdateMs = 300_000;
/** A revoked certificate stays listed for so long after it ended (RFC 5280 section 3.3 wants one list at least). */
const listedAfterEndMs = dayMs;
/** Other servers may publish at the same time; each try is after one of theirs. */
const attemptsMax = 20;

export type RevocationPublisher = {
	readonly current: () => Promise<RevocationList | undefined>;
	/** Makes a new list when a revocation is not on the present one, or that one has lived half its life. */
	readonly refresh: () => Promise<RevocationList>;
};

export const createRevocationPublisher = (options: {
	readonly database: FleetDatabase;
	readonly issuer: Issuer;
	readonly lifeMs: number;
	readonly clock: Clock;
}): RevocationPublisher => {
	const {database, issuer, lifeMs, clock} = options;
	const current = async (): Promise<RevocationList | undefined> =>
		await database.selectFrom('revocation_list').selectAll().where('id', '=', 'current').executeTakeFirst();

	const make = async (before: RevocationList | undefined): Promise<RevocationList> => {
		const nowMs = clock.nowMs();
		const {entries, revokedCount} = await readRevoked(database, nowMs);
		const canary = makeSerial();
		const thisUpdateMs = Math.max(nowMs - backdateMs, (before?.this_update_ms ?? 0) + 1000);
		const list = {
			number: (before?.number ?? 0) + 1,
			thisUpdateMs: Math.floor(thisUpdateMs / 1000) * 1000,
			nextUpdateMs: nowMs + lifeMs,
			entries: [...entries, {serial: canary, atMs: nowMs, reason: 'unspecified' as const}],
		};
		return {
			id: 'current',
			number: list.number,
			canary,
			this_update_ms: list.thisUpdateMs,
			next_update_ms: list.nextUpdateMs,
			revoked_count: revokedCount,
			entries: entries.length,
			pem: await makeRevocationList({issuer, ...list}),
		};
	};

	const refresh = async (): Promise<RevocationList> => {
		for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
			const before = await current();
			if (before !== undefined && (await isFresh(database, before, {lifeMs, nowMs: clock.nowMs()}))) {
				return before;
			}
			const next = await make(before);
			if (await replace(database, before, next)) {
				return next;
			}
		}
		throw new CodedError<AuthorityErrorCode>('OTA_REVOCATIONS_CONTENDED', {
			message: 'Other servers publish revocations without end; try again.',
			retryable: true,
		});
	};
	return {current, refresh};
};

const isFresh = async (
	database: FleetDatabase,
	list: RevocationList,
	{lifeMs, nowMs}: {readonly lifeMs: number; readonly nowMs: number},
): Promise<boolean> =>
	list.next_update_ms - nowMs > lifeMs / 2 && list.revoked_count === (await countRevoked(database));

const countRevoked = async (database: FleetDatabase): Promise<number> => {
	const {count} = await database
		.selectFrom('certificate')
		.select(({fn}) => fn.countAll<number>().as('count'))
		.where('revoked_ms', 'is not', null)
		.executeTakeFirstOrThrow();
	return Number(count);
};

/** The count is of the same moment as the entries: of all that were ever revoked, also those that are listed no longer. */
const readRevoked = async (
	database: FleetDatabase,
	nowMs: number,
): Promise<{entries: readonly RevokedEntry[]; revokedCount: number}> => {
	const rows = await database
		.selectFrom('certificate')
		.select(['serial', 'revoked_ms', 'revoked_reason', 'not_after_ms'])
		.where('revoked_ms', 'is not', null)
		.execute();
	const entries = rows
		.filter(({not_after_ms}) => not_after_ms > nowMs - listedAfterEndMs)
		.map((row) => ({
			serial: row.serial,
			atMs: row.revoked_ms ?? nowMs,
			reason: toRevocationReason(row.revoked_reason),
		}));
	return {entries, revokedCount: rows.length};
};

/** False when another server was quicker: its list may lack what ours has, or the other way round. */
const replace = async (
	database: FleetDatabase,
	before: RevocationList | undefined,
	next: RevocationList,
): Promise<boolean> => {
	if (before === undefined) {
		const {numInsertedOrUpdatedRows} = await database
			.insertInto('revocation_list')
			.values(next)
			.onConflict((conflict) => conflict.column('id').doNothing())
			.executeTakeFirst();
		return numInsertedOrUpdatedRows === 1n;
	}
	const {numUpdatedRows} = await database
		.updateTable('revocation_list')
		.set(next)
		.where('id', '=', 'current')
		.where('number', '=', before.number)
		.executeTakeFirst();
	return numUpdatedRows === 1n;
};
