import {createSecureContext} from 'node:tls';
import {type DeviceId, deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {orderClaimsSchema, type UpdateOrder} from '#appliance/contract/fleet/order-schema.ts';
import type {Presence} from '#appliance/contract/fleet/presence-schema.ts';
import type {Reported} from '#appliance/contract/fleet/reported-schema.ts';
import {
	acknowledgedSchema,
	type BoxEvent,
	type SpooledEvent,
	type Telemetry,
} from '#appliance/contract/fleet/spool-schema.ts';
import {boxTopic} from '#appliance/contract/fleet/topic.ts';
import type {UpdatePhase} from '#appliance/contract/fleet/update-schema.ts';
import {type LeanConnection, openLeanConnection} from '#test/bench/fleet/lean-connection.ts';
import type {SimulatorStats} from '#test/bench/fleet/simulator-message.ts';

const keepaliveSeconds = 120;
const reconnectMs = 5000;
const topics = ['desired', 'acknowledged', 'command/+'] as const;
/** After the order is accepted; each phase takes an equal part of the time that an update takes. */
const phases = ['fetching', 'verified', 'installing', 'rebooting', 'confirming', 'confirmed'] as const;

export type SimulatedBoxOptions = {
	readonly id: string;
	readonly host: string;
	readonly port: number;
	readonly certificatePem: string;
	readonly keyPem: string;
	readonly caPem: string;
	readonly release: string;
	readonly telemetryIntervalMs: number;
	/** From the order to the confirmation. */
	readonly updateMs: number;
	readonly stats: SimulatorStats;
};

export type SimulatedBox = {
	readonly start: () => void;
	readonly tick: (nowMs: number) => void;
	/** Events and batches that the fleet has not acknowledged. */
	readonly unacknowledged: () => number;
};

/** A box as the fleet sees it: what it publishes is what a real one publishes, and updates take the same phases. */
export const createSimulatedBox = (options: SimulatedBoxOptions): SimulatedBox => {
	const {id, host, port, certificatePem, keyPem, caPem, telemetryIntervalMs, updateMs, stats} = options;
	const deviceId: DeviceId = deviceIdSchema.parse(id);
	const bootId = `boot-${id}`;
	const epoch = `epoch-${id}`;
	let {release} = options;
	let connection: LeanConnection | undefined;
	let session = 0;
	let reportRevision = 0;
	let desiredRevision = 0;
	let orderId: string | undefined;
	let phase: UpdatePhase = 'idle';
	let nextTelemetryMs = Date.now() + Math.random() * telemetryIntervalMs;
	let nextPingMs = 0;
	const sent = {telemetry: 0, event: 0};
	const kept = {telemetry: 0, event: 0};
	const waiting: {sequence: number; sentMs: number}[] = [];

	const publish = (name: Parameters<typeof boxTopic>[1], payload: object, retain = false): void => {
		connection?.publish(boxTopic(deviceId, name), JSON.stringify(payload), {retain});
		stats.published += 1;
	};
	const tellEvent = (event: BoxEvent): void => {
		sent.event += 1;
		stats.events += 1;
		waiting.push({sequence: sent.event, sentMs: performance.now()});
		publish('event', {
			version: 1,
			epoch,
			sequence: sent.event,
			after: sent.event - 1,
			atMs: Date.now(),
			severity: 'info',
			event,
		} satisfies SpooledEvent);
	};
	const presence = (state: Presence['state']): Presence => ({
		version: 1,
		state,
		bootId,
		sessionId: `${id}-${session}`,
		sinceMs: Date.now(),
	});
	const report = (): void => {
		reportRevision += 1;
		publish(
			'reported',
			reportOf({deviceId, bootId, release, revision: reportRevision, desiredRevision, phase, orderId}),
			true,
		);
	};
	const enter = (next: UpdatePhase, update: UpdateOrder): void => {
		phase = next;
		tellEvent({kind: 'update', data: {phase, orderId: update.orderId, release: update.release, sinceMs: Date.now()}});
	};
	const run = async (update: UpdateOrder): Promise<void> => {
		enter('accepted', update);
		for (const next of phases) {
			await new Promise((resolve) => setTimeout(resolve, (updateMs / phases.length) * (0.5 + Math.random())));
			if (next === 'confirming') {
				({release} = update);
			}
			enter(next, update);
		}
		stats.updated += 1;
		report();
	};
	const receive = (topic: string, payload: Buffer): void => {
		const value: unknown = JSON.parse(payload.toString());
		if (topic.endsWith('/acknowledged')) {
			const told = acknowledgedSchema.parse(value);
			kept.telemetry = Math.max(kept.telemetry, told.telemetry ?? 0);
			kept.event = Math.max(kept.event, told.event ?? 0);
			while (waiting[0] !== undefined && waiting[0].sequence <= kept.event) {
				stats.latencyMs.push(performance.now() - (waiting.shift()?.sentMs ?? 0));
			}
			return;
		}
		if (topic.endsWith('/desired')) {
			const claims = claimsOf((value as {readonly order: string}).order);
			desiredRevision = claims.revision;
			const update = claims.order.kind === 'desired' ? claims.order.update : undefined;
			if (update !== undefined && update.orderId !== orderId && update.release !== release) {
				({orderId} = update);
				stats.ordered += 1;
				void run(update);
			}
		}
	};
	const open = (): void => {
		session += 1;
		openLeanConnection({
			host,
			port,
			secureContext: createSecureContext({ca: caPem, cert: certificatePem, key: keyPem}),
			packet: {
				clientId: id,
				clean: true,
				keepalive: keepaliveSeconds,
				will: {
					topic: boxTopic(deviceId, 'presence'),
					payload: JSON.stringify(presence('offline')),
					qos: 1,
					retain: true,
				},
				properties: {sessionExpiryInterval: 0, receiveMaximum: 32},
			},
			subscribe: topics.map((name) => `sv/1/${id}/${name}`),
			onReady: (ready) => {
				connection = ready;
				stats.connected += 1;
				publish('presence', presence('online'), true);
				if (reportRevision === 0) {
					report();
					tellEvent({kind: 'boot', data: {bootId, release, cause: 'power'}});
				}
			},
			onPublish: receive,
			onPuback: () => {
				stats.puback += 1;
			},
			onClosed: (error) => {
				stats.closed += 1;
				stats.lastError = error?.message ?? stats.lastError;
				if (connection !== undefined) {
					stats.connected -= 1;
				}
				connection = undefined;
				setTimeout(open, reconnectMs * (0.5 + Math.random()));
			},
		});
	};
	return {
		start: open,
		tick: (nowMs) => {
			if (connection === undefined) {
				return;
			}
			if (nowMs >= nextTelemetryMs) {
				nextTelemetryMs = nowMs + telemetryIntervalMs;
				sent.telemetry += 1;
				stats.telemetry += 1;
				publish('telemetry', telemetryOf(epoch, sent.telemetry, nowMs));
			}
			if (nowMs >= nextPingMs) {
				nextPingMs = nowMs + keepaliveSeconds * 500;
				connection.ping();
			}
		},
		unacknowledged: () => sent.telemetry - kept.telemetry + (sent.event - kept.event),
	};
};

/** The order's signature is the real box's to check; here only its contents matter. */
const claimsOf = (order: string) =>
	orderClaimsSchema.parse(JSON.parse(Buffer.from(order.split('.')[1] ?? '', 'base64url').toString()));

const telemetryOf = (epoch: string, sequence: number, nowMs: number): Telemetry => ({
	version: 1,
	epoch,
	sequence,
	after: sequence - 1,
	samples: [
		{
			atMs: nowMs,
			values: {
				cpu_ratio: Math.random(),
				memory_free_bytes: Math.round(Math.random() * 4e9),
				disk_free_bytes: Math.round(Math.random() * 32e9),
				temperature_celsius: 40 + Math.random() * 20,
				signal_snr_db: 10 + Math.random() * 4,
				cache_hit_ratio: 0.8 + Math.random() / 5,
				uptime_seconds: Math.round(nowMs / 1000),
			},
		},
	],
});

const reportOf = (facts: {
	readonly deviceId: DeviceId;
	readonly bootId: string;
	readonly release: string;
	readonly revision: number;
	readonly desiredRevision: number;
	readonly phase: UpdatePhase;
	readonly orderId: string | undefined;
}): Reported => ({
	version: 1,
	deviceId: facts.deviceId,
	kind: 'stb',
	revision: facts.revision,
	desiredRevision: facts.desiredRevision,
	bootId: facts.bootId,
	bootedMs: Date.now(),
	release: facts.release,
	hardware: {
		model: 'sv-stb-a78',
		serial: facts.deviceId,
		cpu: 'Cortex-A78',
		cpuCount: 4,
		memoryBytes: 4e9,
		diskBytes: 32e9,
	},
	timeZone: 'Europe/Rome',
	addresses: [{interface: 'eth0', address: '192.0.2.7'}],
	slots: [
		{name: 'a', state: 'booted', status: 'good', release: facts.release},
		{name: 'b', state: 'inactive', status: 'good'},
	],
	services: [{name: 'stb', state: 'running', restarts: 0, crashLoop: false, mustRun: true}],
	healthy: true,
	reasons: [],
	update: {phase: facts.phase, orderId: facts.orderId, sinceMs: Date.now()},
	config: {overlayRevision: 0},
	certificate: {serial: '01', notAfterMs: Date.now() + 86_400_000},
});
