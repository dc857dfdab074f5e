import type {DeviceId} from '#appliance/contract/box-schema.ts';
import type {Reported} from '#appliance/contract/fleet/reported-schema.ts';
import {type BoxEvent, eventSchema, type SpooledEvent, type Telemetry} from '#appliance/contract/fleet/spool-schema.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

export const sampleTimeMs = Date.UTC(2026, 10, 21, 12);

export const deviceId = (id: string): DeviceId => id as DeviceId;

/** A healthy set-top that runs 1.0.0. */
export const sampleReported = (id: string, changes: Partial<Reported> = {}): Reported => ({
	version: 1,
	deviceId: deviceId(id),
	kind: 'stb',
	revision: 1,
	desiredRevision: 0,
	bootId: 'boot-1',
	bootedMs: sampleTimeMs - 60_000,
	release: '1.0.0',
	hardware: {model: 'SV-100', serial: `serial-${id}`, cpu: 'A78', cpuCount: 4, memoryBytes: 4e9, diskBytes: 32e9},
	timeZone: 'Europe/Berlin',
	addresses: [{interface: 'eth0', address: '192.0.2.7'}],
	slots: [{name: 'a', state: 'booted', status: 'good', release: '1.0.0'}],
	services: [{name: 'stb', state: 'running', restarts: 0, crashLoop: false, mustRun: true}],
	healthy: true,
	reasons: [],
	update: {phase: 'idle', sinceMs: sampleTimeMs},
	config: {overlayRevision: 0},
	certificate: {serial: '01', notAfterMs: Date.UTC(2099, 0)},
	...changes,
});

export const sampleTelemetry = (sequence: number, changes: Partial<Telemetry> = {}): Telemetry => ({
	version: 1,
	epoch: 'epoch-1',
	sequence,
	after: sequence - 1,
	samples: [{atMs: sampleTimeMs + sequence * 1000, values: {disk_free_bytes: sequence}}],
	...changes,
});

export const sampleEvent = (sequence: number, event: BoxEvent, changes: Partial<SpooledEvent> = {}): SpooledEvent =>
	eventSchema.parse({
		version: 1,
		epoch: 'epoch-1',
		sequence,
		after: sequence - 1,
		atMs: sampleTimeMs + sequence * 1000,
		severity: 'info',
		event,
		...changes,
	});

/** Boxes that are enrolled and have said nothing yet. */
export const enrolBoxes = async (database: FleetDatabase, ids: readonly string[]): Promise<void> => {
	await database
		.insertInto('box')
		.values(ids.map((id) => ({id, kind: 'stb', enrolled_ms: sampleTimeMs})))
		.execute();
};
