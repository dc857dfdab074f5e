import {sql} from 'kysely';
import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {Changes} from '#ota/fleet/fleet-part.ts';
import type {FleetBroker} from '#ota/fleet/server/fleet-broker.ts';
import {chunksOf} from '#ota/fleet/store/chunks-of.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

/**
 * A box that is silent for so long is gone, whatever its presence says. One that measures itself as rarely as it may
 * (`sampleIntervalMsMax`) can lose a sample and be late with the next.
 */
export const silentAfterMs = 600_000;
const turnIntervalMs = 30_000;
/** Turns that are further apart: this server slept, or its database was away, and messages wait to be written. */
const turnGapMaxMs = 120_000;
const silentPerTurn = 2000;

type Context = {
	readonly database: FleetDatabase;
	readonly broker: Pick<FleetBroker, 'isConnected' | 'onConnected'>;
	readonly changes: Pick<Changes, 'publish'>;
	readonly clock: Clock;
	readonly logger: Logger;
};

/**
 * Finds boxes that died together with their broker: nobody was left to publish their will. Silence counts only while this
 * server could hear. Disposed, it no longer follows the connection.
 */
export const createSilenceWatch = (
	context: Context,
): Disposable & {readonly turn: () => Promise<readonly string[]>} => {
	const {broker, clock, changes, logger} = context;
	let hearingSinceMs: number | undefined;
	let turnedMs = clock.monotonicMs();
	const stop = broker.onConnected(() => {
		hearingSinceMs = undefined;
	});
	return {
		turn: async () => {
			const monotonicMs = clock.monotonicMs();
			if (!broker.isConnected() || monotonicMs - turnedMs > turnGapMaxMs) {
				hearingSinceMs = undefined;
			}
			turnedMs = monotonicMs;
			hearingSinceMs ??= monotonicMs;
			if (monotonicMs - hearingSinceMs < silentAfterMs) {
				return [];
			}
			const silent = await markSilent(context);
			if (silent.length > 0) {
				logger.warn({boxes: silent.length}, 'boxes that said to be online are silent; they count as offline');
				changes.publish({kind: 'boxes'});
			}
			return silent;
		},
		[Symbol.dispose]: stop,
	};
};

/** Under a lease, for as long as it is held. */
export const watchSilence = async (context: Context, {signal}: {readonly signal: AbortSignal}): Promise<void> => {
	using watch = createSilenceWatch(context);
	while (!signal.aborted) {
		await watch.turn();
		await sleep(turnIntervalMs, {signal});
	}
};

const markSilent = async ({database, clock}: Context): Promise<readonly string[]> => {
	const nowMs = clock.nowMs();
	const heardBeforeMs = nowMs - silentAfterMs;
	const found = await database
		.selectFrom('box')
		.select('id')
		.where('presence', '=', 'online')
		.where('revoked_ms', 'is', null)
		.where('last_seen_ms', '<=', heardBeforeMs)
		.limit(silentPerTurn)
		.execute();
	const silent: string[] = [];
	for (const ids of chunksOf(found.map(({id}) => id).sort())) {
		const rows = await database
			.updateTable('box')
			.set({
				presence: 'offline',
				silent_ms: nowMs,
				// Of a box that is not there, a good report says nothing any more.
				health: sql<string>`case when health = 'ok' then 'unknown' else health end`,
			})
			.where('id', 'in', ids)
			.where('presence', '=', 'online')
			.where('last_seen_ms', '<=', heardBeforeMs)
			.returning('id')
			.execute();
		silent.push(...rows.map(({id}) => id));
	}
	return silent;
};
