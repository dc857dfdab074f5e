import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

/** A server whose row is older than this is gone. */
export const serverGoneMs = 15_000;
const heartbeatIntervalMs = 3000;

/**
 * Keeps this server's row fresh and watches those of the others. `onPeerLost` hears of each server whose row ran out:
 * what it had taken from the broker and not committed must be read again.
 */
export const startServerHeartbeat = async (options: {
	readonly database: FleetDatabase;
	readonly serverId: string;
	readonly url: string;
	readonly clock: Clock;
	readonly logger: Logger;
	readonly signal: AbortSignal;
	readonly onPeerLost: (serverId: string) => void;
}): Promise<AsyncDisposable> => {
	const {database, serverId, url, clock, logger, onPeerLost} = options;
	const stop = new AbortController();
	const signal = AbortSignal.any([options.signal, stop.signal]);
	const startedMs = clock.nowMs();

	const beat = async (): Promise<void> => {
		const nowMs = clock.nowMs();
		const row = {id: serverId, started_ms: startedMs, renewed_ms: nowMs, url};
		await database
			.insertInto('server')
			.values(row)
			.onConflict((conflict) => conflict.column('id').doUpdateSet(row))
			.execute();
		const lost = await database
			.deleteFrom('server')
			.where('renewed_ms', '<', nowMs - serverGoneMs)
			.where('id', '<>', serverId)
			.returning('id')
			.execute();
		for (const {id} of lost) {
			logger.warn({peer: id}, 'another fleet server is gone');
			onPeerLost(id);
		}
	};

	await beat();
	const running = (async () => {
		while (!signal.aborted) {
			await sleep(heartbeatIntervalMs, {signal}).catch(() => undefined);
			if (!signal.aborted) {
				await beat().catch((error: unknown) => logger.warn({err: error}, 'the heartbeat of this server failed'));
			}
		}
	})();
	return {
		[Symbol.asyncDispose]: async () => {
			stop.abort();
			await running;
			await database
				.deleteFrom('server')
				.where('id', '=', serverId)
				.execute()
				.catch(() => undefined);
		},
	};
};
