import type {ExecutionContext} from 'ava';
import {boxEventSchema} from '#appliance/contract/fleet/spool-schema.ts';
import type {Alert} from '#ota/contract/alert-api.ts';
import {createAlertPart} from '#ota/fleet/alert/create-alert-part.ts';
import {deliverNotifications} from '#ota/fleet/alert/deliver-notifications.ts';
import {type Notification, notificationSchema} from '#ota/fleet/alert/notification-schema.ts';
import {queueNotifications} from '#ota/fleet/alert/queue-notifications.ts';
import type {SmtpSettings} from '#ota/fleet/alert/smtp-settings.ts';
import {sweepAlerts} from '#ota/fleet/alert/sweep-alerts.ts';
import type {FleetPart, IngestBatch} from '#ota/fleet/fleet-part.ts';
import type {DatabaseEngine} from '#ota/fleet/store/open-fleet-database.ts';
import {emptyIngest} from '#test/helper/sample-ingest.ts';
import {type TestFleetApi, withFleetApi} from '#test/helper/with-fleet-api.ts';

export type TestFleetAlerts = TestFleetApi & {
	readonly admin: string;
	readonly look: () => Promise<void>;
	readonly deliver: () => Promise<void>;
	readonly ingest: (batch: Partial<IngestBatch>) => Promise<void>;
	readonly alerts: (query?: string) => Promise<Alert[]>;
	/** What waits to be sent, oldest first. */
	readonly waiting: () => Promise<Notification[]>;
	readonly addBoxes: (count: number, site: string | null, presence?: string) => Promise<void>;
};

/** The API with the alert part; looks over the fleet and deliveries are made when the test says so. */
export const withFleetAlerts = async (
	t: ExecutionContext,
	engine: DatabaseEngine = 'sqlite',
	smtp?: SmtpSettings,
): Promise<TestFleetAlerts> => {
	let part: FleetPart = {};
	const api = await withFleetApi(t, {
		engine,
		endpoints: (context) => {
			part = createAlertPart(context, {leases: {withLease: () => Promise.resolve()}, ...(smtp && {smtp})});
			return part.endpoints ?? [];
		},
	});
	const {database} = api.store;
	const admin = await api.signInAs('admin');
	const signal = new AbortController().signal;
	return {
		...api,
		admin,
		look: async () => {
			await sweepAlerts(api, {measureOutbox: undefined});
			await queueNotifications(database, {nowMs: api.clock.nowMs(), logger: api.logger});
		},
		deliver: () => deliverNotifications(api, {smtp, signal}),
		ingest: (batch) =>
			database
				.transaction()
				.execute(async (transaction) => part.writeIngest?.(transaction, {...emptyIngest, ...batch})),
		alerts: async (query = '') => (await api.call(`GET /alerts${query}`, {cookie: admin})).body.items,
		waiting: async () => {
			const rows = await database.selectFrom('alert_notification').select('body').orderBy('created_ms').execute();
			return rows.map(({body}) => notificationSchema.parse(JSON.parse(body)));
		},
		addBoxes: async (count, site, presence = 'online') => {
			const nowMs = api.clock.nowMs();
			const rows = Array.from({length: count}, (_, index) => ({
				id: `${site ?? 'none'}-${index}`,
				kind: 'stb',
				site,
				presence,
				enrolled_ms: nowMs,
				last_seen_ms: nowMs,
			}));
			for (let start = 0; start < count; start += 500) {
				await database
					.insertInto('box')
					.values(rows.slice(start, start + 500) as never)
					.execute();
			}
		},
	};
};

/** A box that says that its disk is full, or is not any more. */
export const alarmIngest = (box: string, raised: boolean): Partial<IngestBatch> => ({
	events: [
		{
			box,
			event: {
				version: 1,
				epoch: 'e',
				sequence: 1,
				after: 0,
				atMs: 0,
				severity: 'warning',
				event: boxEventSchema.parse({kind: 'alarm', data: {alarm: 'disk', raised, message: 'full', value: 1}}),
			},
		},
	] as unknown as IngestBatch['events'],
});
