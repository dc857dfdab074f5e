import {Counter, collectDefaultMetrics, Gauge, Registry} from 'prom-client';
import type {StbStatus} from '#appliance/contract/stb-status-schema.ts';

type Figure = {
	readonly name: string;
	readonly help: string;
	readonly kind: 'counter' | 'gauge';
	readonly read: (status: StbStatus) => number;
};

const figures: readonly Figure[] = [
	{name: 'packets_total', help: 'Multicast packets received.', kind: 'counter', read: ({receive}) => receive.packets},
	{
		name: 'multicast_bytes_total',
		help: 'Multicast bytes received.',
		kind: 'counter',
		read: ({receive}) => receive.bytes,
	},
	{
		name: 'kernel_drops_total',
		help: 'Packets that the kernel dropped because we read too slowly.',
		kind: 'counter',
		read: ({receive}) => receive.kernelDrops,
	},
	{
		name: 'malformed_packets_total',
		help: 'Packets that are no FLUTE.',
		kind: 'counter',
		read: ({receive}) => receive.malformedPackets,
	},
	{
		name: 'fec_recovered_bytes_total',
		help: 'Bytes that forward error correction brought back.',
		kind: 'counter',
		read: ({receive}) => receive.fecRecoveredBytes,
	},
	{name: 'objects_received_total', help: 'Objects stored.', kind: 'counter', read: ({objects}) => objects.received},
	{name: 'objects_repaired_total', help: 'Of these, repaired.', kind: 'counter', read: ({objects}) => objects.repaired},
	{name: 'objects_failed_total', help: 'Objects given up.', kind: 'counter', read: ({objects}) => objects.failed},
	{name: 'repair_requests_total', help: 'Repair requests.', kind: 'counter', read: ({repair}) => repair.requests},
	{name: 'repair_bytes_total', help: 'Bytes repaired.', kind: 'counter', read: ({repair}) => repair.bytes},
	{
		name: 'repair_failures_total',
		help: 'Repair requests failed.',
		kind: 'counter',
		read: ({repair}) => repair.failures,
	},
	{
		name: 'repair_latency_p99_ms',
		help: '99th percentile of the last repair requests.',
		kind: 'gauge',
		read: ({repair}) => repair.latencyMs.p99,
	},
	{name: 'cache_objects', help: 'Objects in the cache.', kind: 'gauge', read: ({cache}) => cache.objects},
	{name: 'cache_bytes', help: 'Bytes in the cache.', kind: 'gauge', read: ({cache}) => cache.bytes},
	{name: 'cache_hits_total', help: 'Requests answered from the cache.', kind: 'counter', read: ({cache}) => cache.hits},
	{name: 'cache_misses_total', help: 'Requests that were not.', kind: 'counter', read: ({cache}) => cache.misses},
	{name: 'cache_evictions_total', help: 'Objects evicted.', kind: 'counter', read: ({cache}) => cache.evictions},
	{
		name: 'terrestrial_bytes_total',
		help: 'Bytes fetched for misses.',
		kind: 'counter',
		read: ({terrestrial}) => terrestrial.bytes,
	},
];

/** A registry of this process's own, read from the status whenever Prometheus asks. */
export const createStbMetrics = (read: () => StbStatus): Registry => {
	const registry = new Registry();
	let current: StbStatus | undefined;
	// All figures of one answer come from one look: it walks through everything that the carousel lists.
	const readStatus = (): StbStatus => {
		if (current === undefined) {
			current = read();
			setImmediate(() => {
				current = undefined;
			});
		}
		return current;
	};
	collectDefaultMetrics({register: registry});
	for (const {name, help, kind, read} of figures) {
		const labels = {name: `streamverse_stb_${name}`, help, registers: [registry]};
		if (kind === 'gauge') {
			new Gauge({
				...labels,
				collect() {
					this.set(read(readStatus()));
				},
			});
		} else {
			new Counter({
				...labels,
				collect() {
					this.reset();
					this.inc(Math.max(0, read(readStatus())));
				},
			});
		}
	}
	return registry;
};
