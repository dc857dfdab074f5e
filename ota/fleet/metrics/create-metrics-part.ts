import Router from '@koa/router';
import {Counter, collectDefaultMetrics, Gauge, Histogram, Registry} from 'prom-client';
import {apiError} from '#ota/fleet/api/api-error.ts';
import type {Authenticate} from '#ota/fleet/api/identity.ts';
import type {FleetContext, FleetPart, IngestBatch} from '#ota/fleet/fleet-part.ts';
import {type FleetNumbers, readFleetNumbers} from '#ota/fleet/metrics/fleet-numbers.ts';

/** Several Prometheus servers, and a person who reloads, cost the database no more than one. */
const numbersKeptMs = 10_000;

export type MetricsPart = FleetPart & {
	/** `GET /metrics` on the operators' listener, for whoever may see the fleet. */
	readonly router: Router;
};

/** What Prometheus reads. Labels have few values each, whatever boxes send: no label is a box, a site or free text. */
export const createMetricsPart = (
	context: FleetContext,
	{authenticate}: {readonly authenticate: Authenticate},
): MetricsPart => {
	const registry = new Registry();
	collectDefaultMetrics({register: registry});
	const show = createGauges(registry);
	const ingest = createIngestMetrics(registry, context);
	const numbers = keepNumbers(context);
	const router = new Router();
	router.get('/metrics', async (request) => {
		const identity = await authenticate(request.req.headers);
		if (identity === undefined || identity.mustChangePassword) {
			throw apiError('OTA_API_UNAUTHENTICATED', {
				status: 401,
				message: 'Send an API token: authorization.credentials of the scrape configuration.',
			});
		}
		show(await numbers(), context.clock.nowMs());
		request.set('Cache-Control', 'no-store');
		request.type = registry.contentType;
		request.body = await registry.metrics();
	});
	return {...ingest, router};
};

const keepNumbers = (context: FleetContext): (() => Promise<FleetNumbers>) => {
	let kept: {readonly numbers: Promise<FleetNumbers>; readonly atMs: number} | undefined;
	return () => {
		const nowMs = context.clock.monotonicMs();
		if (kept === undefined || nowMs - kept.atMs > numbersKeptMs) {
			const numbers = readFleetNumbers(context.store.database);
			kept = {numbers, atMs: nowMs};
			numbers.catch(() => {
				kept = undefined;
			});
		}
		return kept.numbers;
	};
};

const prefix = 'streamverse_fleet_';

/** Set anew as a whole: what is no longer there is no longer shown. */
const createGauges = (registry: Registry): ((numbers: FleetNumbers, nowMs: number) => void) => {
	const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[]): Gauge<Label> =>
		new Gauge({name: `${prefix}${name}`, help, labelNames: [...labelNames], registers: [registry]});
	const boxes = gauge('boxes', 'Boxes that are enrolled and not revoked.', ['kind', 'presence', 'health']);
	const releases = gauge('boxes_by_release', 'Boxes by the release that really runs; the rarest are one.', ['release']);
	const phases = gauge('boxes_by_update', 'Boxes by the phase of their update.', ['phase']);
	const rollouts = gauge('rollouts', 'Rollouts by state.', ['state']);
	const alerts = gauge('alerts', 'Alerts that are raised.', ['rule', 'severity', 'acknowledged']);
	const rows = gauge('outbox_rows', 'Records that wait for Kafka.', []);
	const bytes = gauge('outbox_bytes', 'Bytes that wait for Kafka.', []);
	const lag = gauge('outbox_lag_seconds', 'Age of the oldest record that waits for Kafka.', []);
	const dropped = gauge('outbox_dropped_records', 'Records of telemetry that were given up since the fleet began.', []);
	const database = gauge('database_seconds', 'How long the queries behind this page took.', ['query']);
	return (numbers, nowMs) => {
		for (const each of [boxes, releases, phases, rollouts, alerts, database]) {
			each.reset();
		}
		for (const {count, ...labels} of numbers.boxes) {
			boxes.set(labels, count);
		}
		for (const [metric, label, counts] of [
			[releases, 'release', numbers.releases],
			[phases, 'phase', numbers.phases],
			[rollouts, 'state', numbers.rollouts],
			[database, 'query', numbers.seconds],
		] as const) {
			for (const [name, count] of counts) {
				(metric as Gauge).set({[label]: name}, count);
			}
		}
		for (const {count, ...labels} of numbers.alerts) {
			alerts.set(labels, count);
		}
		rows.set(numbers.outbox.rows);
		bytes.set(numbers.outbox.bytes);
		lag.set(numbers.outbox.oldestMs === null ? 0 : Math.max(0, (nowMs - numbers.outbox.oldestMs) / 1000));
		dropped.set(numbers.outbox.droppedRows);
	};
};

const createIngestMetrics = (
	registry: Registry,
	{clock}: FleetContext,
): Pick<FleetPart, 'writeIngest' | 'afterIngest'> => {
	const records = new Counter({
		name: `${prefix}ingested_total`,
		help: 'Messages of boxes that are in the database.',
		labelNames: ['topic'],
		registers: [registry],
	});
	const seconds = new Histogram({
		name: `${prefix}ingest_seconds`,
		help: 'From the parts of a batch being written to its commit.',
		buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
		registers: [registry],
	});
	const begunMs = new WeakMap<IngestBatch, number>();
	return {
		writeIngest: (_transaction, batch) => {
			begunMs.set(batch, clock.monotonicMs());
			return Promise.resolve();
		},
		afterIngest: (batch) => {
			for (const [topic, messages] of Object.entries(batch)) {
				records.inc({topic}, messages.length);
			}
			const begun = begunMs.get(batch);
			if (begun !== undefined) {
				seconds.observe((clock.monotonicMs() - begun) / 1000);
			}
		},
	};
};
