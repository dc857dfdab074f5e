import {sleep} from '#appliance/time/sleep.ts';
import {createAlertEndpoints} from '#ota/fleet/alert/alert-endpoints.ts';
import {applyFindings} from '#ota/fleet/alert/apply-findings.ts';
import {createChannelEndpoints} from '#ota/fleet/alert/channel-endpoints.ts';
import {deliverNotifications} from '#ota/fleet/alert/deliver-notifications.ts';
import {findInBatch} from '#ota/fleet/alert/find-in-batch.ts';
import {queueNotifications} from '#ota/fleet/alert/queue-notifications.ts';
import {defaultSettings, type RuleSettings, readRuleSettings} from '#ota/fleet/alert/rule-settings.ts';
import type {SmtpSettings} from '#ota/fleet/alert/smtp-settings.ts';
import {type OutboxMeasure, sweepAlerts} from '#ota/fleet/alert/sweep-alerts.ts';
import type {FleetContext, FleetPart} from '#ota/fleet/fleet-part.ts';
import type {Leases} from '#ota/fleet/server/leases.ts';

export type AlertOptions = {
	readonly leases: Pick<Leases, 'withLease'>;
	readonly smtp?: SmtpSettings;
	/** Of the bridge, where there is one. */
	readonly measureOutbox?: OutboxMeasure;
	readonly sweepEveryMs?: number;
};

const sweepEveryMs = 5000;
/** A change of the thresholds reaches every server's ingest within this. */
const settingsKeptMs = 10_000;

/** Watches what boxes send and what they no longer send; raises, clears, groups and tells. */
export const createAlertPart = (context: FleetContext, options: AlertOptions): FleetPart => {
	const {store, clock, changes} = context;
	const settings = keepSettings(context);
	let hasChanged = false;
	return {
		endpoints: [...createAlertEndpoints(context), ...createChannelEndpoints(context, {smtp: options.smtp})],
		writeIngest: async (transaction, batch) => {
			const look = {settings: settings.read(), nowMs: clock.nowMs(), engine: store.engine};
			const changed = await applyFindings(transaction, findInBatch(batch, look), look);
			hasChanged ||= changed.length > 0;
		},
		afterIngest: () => {
			if (hasChanged) {
				hasChanged = false;
				changes.publish({kind: 'alerts'});
			}
		},
		start: async () => {
			await settings.refresh();
			return startWatch(context, {...options, refreshSettings: settings.refresh});
		},
	};
};

/** The settings as they were read last: a batch does not wait for them. */
const keepSettings = ({store}: FleetContext) => {
	let known = defaultSettings;
	return {
		read: (): RuleSettings => known,
		refresh: async (): Promise<void> => {
			known = await readRuleSettings(store.database);
		},
	};
};

const startWatch = (
	context: FleetContext,
	options: AlertOptions & {readonly refreshSettings: () => Promise<void>},
): AsyncDisposable => {
	const {logger} = context;
	const stop = new AbortController();
	const signal = AbortSignal.any([context.signal, stop.signal]);
	const sweeping = options.leases.withLease(
		'alert',
		async (held) => {
			const repeat = async (work: () => Promise<void>): Promise<void> => {
				while (!held.signal.aborted) {
					await work();
					await sleep(options.sweepEveryMs ?? sweepEveryMs, {signal: held.signal}).catch(() => undefined);
				}
			};
			// A channel that answers slowly holds up no look over the fleet.
			await Promise.all([
				repeat(async () => {
					await sweepAlerts(context, {measureOutbox: options.measureOutbox});
					await queueNotifications(context.store.database, {nowMs: context.clock.nowMs(), logger});
				}),
				repeat(() => deliverNotifications(context, {smtp: options.smtp, signal: held.signal})),
			]);
		},
		{signal},
	);
	const refreshing = (async () => {
		while (!signal.aborted) {
			await sleep(settingsKeptMs, {signal}).catch(() => undefined);
			await options.refreshSettings().catch((error: unknown) => {
				logger.warn({err: error}, 'the alert rules could not be read; the known ones hold');
			});
		}
	})();
	return {
		[Symbol.asyncDispose]: async () => {
			stop.abort();
			await Promise.all([sweeping, refreshing]);
		},
	};
};
