import test from 'ava';
import type {StbStatus} from '#appliance/contract/stb-status-schema.ts';
import {createStbMetrics} from '#stb/status/metrics.ts';

const status: StbStatus = {
	...{version: 1, box: 'stb-1', nowMs: 0, tuned: {announced: true, sessions: []}},
	receive: {packets: 7, bytes: 1, rateBps: 0, kernelDrops: 0, malformedPackets: 0, fecRecoveredBytes: 0},
	objects: {received: 3, repaired: 0, failed: 0, arriving: []},
	repair: {requests: 0, bytes: 0, failures: 0, latencyMs: {p50: 0, p99: 0}},
	cache: {objects: 0, bytes: 0, budgetBytes: 1, evictions: 0, hits: 0, misses: 0, hitRatio: 0},
	terrestrial: {requests: 0, bytes: 0, failures: 0},
};

test('a scrape reads the status once, and the next one anew', async (t) => {
	let reads = 0;
	const registry = createStbMetrics(() => {
		reads += 1;
		return {...status, receive: {...status.receive, packets: reads}};
	});
	t.regex(await registry.metrics(), /streamverse_stb_packets_total 1\n/u);
	t.is(reads, 1);
	await new Promise(setImmediate);
	t.regex(await registry.metrics(), /streamverse_stb_packets_total 2\n/u);
});
