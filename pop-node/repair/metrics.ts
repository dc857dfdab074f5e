import {Counter, Gauge, Histogram, Registry} from 'prom-client';
import type {PopNodeStatus} from '#pop-node/repair/status.ts';

export type RepairMetrics = {
	readonly registry: Registry;
	/** An answer that has ended. */
	answered(answer: {readonly status: number; readonly bytes: number; readonly seconds: number}): void;
	limited(): void;
	counts(): RequestCounts;
};

export type RequestCounts = {
	readonly requests: number;
	readonly bytes: number;
	readonly ranges: number;
	readonly refused: number;
	readonly limited: number;
};

/** Metrics of one pop-node in a registry of its own; gauges are read from the status when somebody asks. */
export const createRepairMetrics = (readStatus: () => PopNodeStatus): RepairMetrics => {
	const registry = new Registry();
	const registers = [registry];
	const count = {requests: 0, bytes: 0, ranges: 0, refused: 0, limited: 0};
	const requests = new Counter({
		name: 'pop_node_requests_total',
		help: 'Object requests answered, by status.',
		labelNames: ['status'],
		registers,
	});
	const bytes = new Counter({name: 'pop_node_sent_bytes_total', help: 'Bytes of objects sent.', registers});
	const limited = new Counter({name: 'pop_node_limited_total', help: 'Requests refused by the rate limit.', registers});
	const seconds = new Histogram({
		name: 'pop_node_answer_seconds',
		help: 'From the request to the end of the answer.',
		buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
		registers,
	});
	const gauges: readonly (readonly [string, string, (status: PopNodeStatus) => number])[] = [
		['pop_node_store_bytes', 'Bytes of objects on disk.', (status) => status.store.bytes],
		['pop_node_store_objects', 'Objects on disk.', (status) => status.store.stored],
		['pop_node_catalogue_objects', 'Objects of the headend’s catalogue.', (status) => status.store.known],
		[
			'pop_node_following',
			'1 while the headend’s feed is open.',
			(status) => (status.follow.kind === 'following' ? 1 : 0),
		],
		['pop_node_ingested_objects', 'Objects downloaded since the start.', (status) => status.ingest.objects],
		['pop_node_ingest_failures', 'Downloads that failed since the start.', (status) => status.ingest.failures],
	];
	for (const [name, help, read] of gauges) {
		new Gauge({
			name,
			help,
			registers,
			collect() {
				this.set(read(readStatus()));
			},
		});
	}
	return {
		registry,
		answered: (answer) => {
			requests.inc({status: String(answer.status)});
			bytes.inc(answer.bytes);
			seconds.observe(answer.seconds);
			count.requests += 1;
			count.bytes += answer.bytes;
			count.ranges += answer.status === 206 ? 1 : 0;
			count.refused += answer.status >= 400 ? 1 : 0;
		},
		limited: () => {
			limited.inc();
			count.limited += 1;
		},
		counts: () => ({...count}),
	};
};
