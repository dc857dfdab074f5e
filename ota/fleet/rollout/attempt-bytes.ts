import {z} from 'zod';
import {type FetchedBytes, fetchedBytesSchema} from '#appliance/contract/fleet/update-schema.ts';
import type {BoxWord} from '#ota/fleet/rollout/judge-status.ts';
import {parseOrderId} from '#ota/fleet/rollout/order-id.ts';
import type {RolloutBoxTable} from '#ota/fleet/store/rollout-tables.ts';

const attemptBytesSchema = z.record(z.string(), fetchedBytesSchema);

type Columns = Pick<RolloutBoxTable, 'attempt_bytes'> & {
	readonly carousel_bytes: number;
	readonly local_bytes: number;
	readonly unicast_bytes: number;
};
type BytesRow = Columns & {readonly rollout: string; readonly attempt: number};

const ways = ['carousel', 'local', 'unicast'] as const satisfies readonly (keyof FetchedBytes)[];
const nothing: FetchedBytes = {carousel: 0, local: 0, unicast: 0};

/**
 * What a row's bytes become by what its box said; undefined = they stay. A box counts the bytes of one order, and each
 * attempt is an order of its own: they are kept by attempt, so that a late word of an earlier one adds to that one, and
 * none is counted twice. Bytes of an attempt only grow: a spooled event may be older than a report that came before it.
 */
export const countBytes = (row: BytesRow, words: readonly BoxWord[]): Columns | undefined => {
	const byAttempt = bytesByAttempt(row);
	const before = JSON.stringify(byAttempt);
	for (const {status} of words) {
		const order = status.orderId === undefined ? undefined : parseOrderId(status.orderId);
		const wasGiven = order?.rollout === row.rollout && order.attempt <= Math.max(row.attempt, 1);
		if (status.bytes !== undefined && wasGiven) {
			byAttempt[order.attempt] = combine(Math.max, byAttempt[order.attempt] ?? nothing, status.bytes);
		}
	}
	const after = JSON.stringify(byAttempt);
	if (after === before) {
		return undefined;
	}
	const sum = Object.values(byAttempt).reduce(
		(total, bytes) => combine((one, other) => one + other, total, bytes),
		nothing,
	);
	return {
		attempt_bytes: after,
		carousel_bytes: sum.carousel,
		local_bytes: sum.local,
		unicast_bytes: sum.unicast,
	};
};

/** A row that was written before attempts were told apart holds the bytes of its last. */
const bytesByAttempt = (row: BytesRow): Record<string, FetchedBytes> => {
	if (row.attempt_bytes !== null) {
		return attemptBytesSchema.parse(JSON.parse(row.attempt_bytes));
	}
	const kept = {carousel: row.carousel_bytes, local: row.local_bytes, unicast: row.unicast_bytes};
	return ways.some((way) => kept[way] > 0) ? {[Math.max(row.attempt, 1)]: kept} : {};
};

const combine = (
	how: (one: number, other: number) => number,
	...[one, other]: readonly [FetchedBytes, FetchedBytes]
): FetchedBytes => ({
	carousel: how(one.carousel, other.carousel),
	local: how(one.local, other.local),
	unicast: how(one.unicast, other.unicast),
});
