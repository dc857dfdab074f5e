import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

/** A holder that has not renewed for so long is gone. */
export const leaseDurationMs = 10_000;
const renewIntervalMs = 2500;

/** Work that at most one server does at a time. */
export type Leases = {
	/**
	 * Runs `work` whenever this server holds the lease, until the signal; `work`'s own signal aborts when the lease is
	 * lost, and it is run again when it is held again. Work must bear being done twice where two overlap for a moment.
	 */
	readonly withLease: (
		name: string,
		work: (options: {readonly signal: AbortSignal}) => Promise<void>,
		options: {readonly signal: AbortSignal},
	) => Promise<void>;
};

export const createLeases = (context: {
	readonly database: FleetDatabase;
	readonly serverId: string;
	readonly clock: Clock;
	readonly logger: Logger;
}): Leases => ({
	withLease: async (name, work, {signal}) => {
		while (!signal.aborted) {
			try {
				if (await takeLease(context, name)) {
					context.logger.debug({lease: name}, 'holds a lease');
					await workWhileHeld(context, {name, work, signal});
				}
			} catch (error) {
				if (!signal.aborted) {
					context.logger.warn({err: error, lease: name}, 'work under a lease failed; it is begun again');
				}
			}
			await sleep(renewIntervalMs, {signal}).catch(() => undefined);
		}
		await releaseLease(context, name).catch(() => undefined);
	},
});

type LeaseContext = Parameters<typeof createLeases>[0];

const workWhileHeld = async (
	context: LeaseContext,
	options: {
		readonly name: string;
		readonly work: (options: {readonly signal: AbortSignal}) => Promise<void>;
		readonly signal: AbortSignal;
	},
): Promise<void> => {
	const held = new AbortController();
	const signal = AbortSignal.any([options.signal, held.signal]);
	const keeping = keepLease(context, {name: options.name, signal}).finally(() => held.abort());
	try {
		await options.work({signal});
	} catch (error) {
		if (!signal.aborted) {
			throw error;
		}
	} finally {
		held.abort();
		await keeping;
	}
};

/** Ends when the lease is lost: another holds it, or the database cannot be asked for most of its duration. */
const keepLease = async (
	context: LeaseContext,
	{name, signal}: {readonly name: string; readonly signal: AbortSignal},
): Promise<void> => {
	let renewedMs = context.clock.monotonicMs();
	while (!signal.aborted) {
		await sleep(renewIntervalMs, {signal}).catch(() => undefined);
		if (signal.aborted) {
			return;
		}
		try {
			if (!(await takeLease(context, name))) {
				context.logger.warn({lease: name}, 'lost a lease to another server');
				return;
			}
			renewedMs = context.clock.monotonicMs();
		} catch (error) {
			context.logger.warn({err: error, lease: name}, 'a lease was not renewed');
			if (context.clock.monotonicMs() - renewedMs > leaseDurationMs - renewIntervalMs) {
				return;
			}
		}
	}
};

/** One statement takes it, renews it, or does nothing: whoever holds it afterwards is what counts. */
export const takeLease = async ({database, serverId, clock}: LeaseContext, name: string): Promise<boolean> => {
	const nowMs = clock.nowMs();
	const expiresMs = nowMs + leaseDurationMs;
	const row = await database
		.insertInto('lease')
		.values({name, holder: serverId, expires_ms: expiresMs})
		.onConflict((conflict) =>
			conflict
				.column('name')
				.doUpdateSet({holder: serverId, expires_ms: expiresMs})
				.where((where) => where.or([where('lease.holder', '=', serverId), where('lease.expires_ms', '<', nowMs)])),
		)
		.returning('holder')
		.executeTakeFirst();
	return row?.holder === serverId;
};

const releaseLease = async ({database, serverId}: LeaseContext, name: string): Promise<void> => {
	await database.deleteFrom('lease').where('name', '=', name).where('holder', '=', serverId).execute();
};
