import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {type BoxEvent, boxEventSchema} from '#appliance/contract/fleet/spool-schema.ts';
import {chunksOf} from '#ota/fleet/store/chunks-of.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';
import {sampleReported} from '#test/helper/sample-box.ts';

/** The box of the scene that has everything: report, telemetry of a day, events, certificates. */
export const watchedBox = deviceIdSchema.parse('stb-oslo-watched');

const minuteMs = 60_000;
const hourMs = 3_600_000;
const dayMs = 86_400_000;

export const fillWatchedBox = async (database: FleetDatabase, now: number): Promise<void> => {
	const seen = {presence: 'online', last_seen_ms: now - 8000, reported_revision: 12, update_phase: 'confirmed'};
	const named = {id: watchedBox, kind: 'stb', site: 'oslo', tags: '["beta","friendly"]', model: 'SV-A78'};
	await database
		.insertInto('box')
		.values({
			...named,
			...seen,
			...{serial: '24B7-771204', release: '2.5.0', update_release: '2.5.0', health: 'warning'},
			...{enrolled_ms: now - 212 * dayMs, time_zone: 'Europe/Oslo', desired_revision: 41, desired_kept: 41},
		})
		.execute();
	await database
		.insertInto('box_report')
		.values({box: watchedBox, reported: JSON.stringify(report(now))})
		.execute();
	await fillTelemetry(database, now);
	await fillEvents(database, now);
	await fillCertificates(database, now);
};

const report = (now: number): object =>
	sampleReported(watchedBox, {
		...{revision: 12, desiredRevision: 41, bootedMs: now - 31 * hourMs, release: '2.5.0'},
		hardware: {
			...{model: 'SV-A78', serial: '24B7-771204', cpu: 'Cortex-A78', cpuCount: 4},
			...{memoryBytes: 4_143_972_352, diskBytes: 62_537_072_640},
		},
		timeZone: 'Europe/Oslo',
		addresses: [
			{interface: 'eth0', address: '10.40.7.23'},
			{interface: 'eth0', address: 'fd12:7a1c:40:7::23'},
			{interface: 'dvb0', address: '239.9.0.1'},
		],
		slots: [
			{name: 'a', state: 'booted', status: 'good', release: '2.5.0'},
			{name: 'b', state: 'inactive', status: 'good', release: '2.4.0'},
		],
		services: [
			{name: 'stb', state: 'running', restarts: 0, crashLoop: false, mustRun: true},
			{name: 'receiver', state: 'running', restarts: 1, crashLoop: false, mustRun: true},
			{name: 'repair', state: 'running', restarts: 0, crashLoop: false, mustRun: false},
			{name: 'player', state: 'waiting', restarts: 7, crashLoop: true, mustRun: false},
		],
		update: {phase: 'confirmed', sinceMs: now - 31 * hourMs, orderId: 'scenefinish1.1'},
		certificate: {serial: '5c0de4a9', notAfterMs: now + 61 * dayMs},
	});

/** A day, a sample each minute: load by the hour, a fade at noon, and two hours in which the box was away. */
const fillTelemetry = async (database: FleetDatabase, now: number): Promise<void> => {
	const rows = Array.from({length: 1440}, (_, index) => ({index, atMs: now - (1440 - index) * minuteMs}))
		.filter(({index}) => index < 620 || index > 740)
		.map(({index, atMs}) => {
			const swing = Math.sin((index / 1440) * 2 * Math.PI);
			const noise = ((index * 7919) % 101) / 101;
			const fade = Math.exp(-(((index - 1100) / 40) ** 2)) * 6;
			const metrics = {
				cpu_busy_ratio: 0.22 + 0.12 * swing + 0.08 * noise,
				memory_available_bytes: 1.9e9 - 3e8 * swing - 5e7 * noise,
				disk_free_bytes: 2.1e10 - index * 2.4e6 + (index > 900 ? 2e9 : 0),
				temperature_celsius: 61 + 9 * swing + 2 * noise,
				signal_margin_db: 7.4 - fade + 0.3 * noise,
				signal_level_dbm: -48 - fade + 0.5 * noise,
				network_received_bytes: 4e9 + index * 1.2e7,
				cache_bytes: 8e9 + 1.5e9 * Math.sin(index / 90),
				load_1min: 0.6 + 0.4 * swing + 0.3 * noise,
				uptime_seconds: index * 60,
			};
			return {box: watchedBox, at_ms: atMs, metrics: JSON.stringify(metrics)};
		});
	for (const some of chunksOf(rows, 3)) {
		await database.insertInto('telemetry').values(some).execute();
	}
};

const fillEvents = async (database: FleetDatabase, now: number): Promise<void> => {
	const told: readonly (readonly [number, 'info' | 'warning' | 'critical', BoxEvent])[] = [
		[31.4, 'info', {kind: 'update', data: update('accepted', now - 31.4 * hourMs)}],
		[31.3, 'info', {kind: 'update', data: update('fetching', now - 31.3 * hourMs)}],
		[31.2, 'info', {kind: 'update', data: update('installing', now - 31.2 * hourMs)}],
		[31.1, 'info', {kind: 'update', data: update('rebooting', now - 31.1 * hourMs)}],
		[31, 'info', {kind: 'boot', data: {bootId: 'boot-12', release: '2.5.0', cause: 'update'}}],
		[30.9, 'info', {kind: 'update', data: update('confirmed', now - 30.9 * hourMs)}],
		[
			11,
			'warning',
			{
				kind: 'telemetry-gap',
				data: {fromSequence: 910, toSequence: 1029, fromMs: now - 13 * hourMs, toMs: now - 11 * hourMs},
			},
		],
		[
			5.8,
			'warning',
			{kind: 'alarm', data: {alarm: 'signal', raised: true, message: 'signal margin 0.9 dB is below 1 dB', value: 0.9}},
		],
		[5.1, 'info', {kind: 'alarm', data: {alarm: 'signal', raised: false, message: 'signal margin 2.6 dB', value: 2.6}}],
		[
			2.2,
			'warning',
			{kind: 'service', data: {service: 'player', state: 'crashed', detail: 'Ended by SIGSEGV after 3 min.'}},
		],
		[
			1.9,
			'critical',
			{kind: 'service', data: {service: 'player', state: 'crash-loop', detail: '5 crashes within 10 min.'}},
		],
		[0.6, 'info', {kind: 'qoe', data: {title: 'big-buck-bunny', startMs: 840, stalls: 0, bitrate: 5_800_000}}],
		[0.2, 'warning', {kind: 'order-refused', data: {code: 'MQTT_ORDER_EXPIRED', message: 'The order had expired.'}}],
	];
	await database
		.insertInto('box_event')
		.values(
			told.map(([hours, severity, event], index) => ({
				...{box: watchedBox, epoch: 'epoch-1', sequence: index + 1, severity},
				...{at_ms: Math.round(now - hours * hourMs), received_ms: Math.round(now - hours * hourMs) + 300},
				...{kind: event.kind, data: JSON.stringify(boxEventSchema.parse(event).data)},
			})),
		)
		.execute();
};

const update = (phase: 'accepted' | 'fetching' | 'installing' | 'rebooting' | 'confirmed', sinceMs: number) =>
	({phase, orderId: 'scenefinish1.1', release: '2.5.0', sinceMs: Math.round(sinceMs)}) as Extract<
		BoxEvent,
		{kind: 'update'}
	>['data'];

const fillCertificates = async (database: FleetDatabase, now: number): Promise<void> => {
	const issued = [
		['5c0de4a9', 29, 'renewal', null],
		['3fa1007b', 120, 'renewal', now - 29 * dayMs],
		['1b93e2d0', 212, 'claim', now - 120 * dayMs],
	] as const;
	await database
		.insertInto('certificate')
		.values(
			issued.map(([serial, days, origin, superseded]) => ({
				...{serial, box: watchedBox, fingerprint: serial.repeat(8), key_hash: serial.repeat(8), origin, pem: ''},
				...{not_before_ms: now - days * dayMs, not_after_ms: now + (90 - days) * dayMs, issued_ms: now - days * dayMs},
				...{superseded_ms: superseded, revoked_ms: null, revoked_reason: null, cut_pending: 0},
			})),
		)
		.execute();
};
