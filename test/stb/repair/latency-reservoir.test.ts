import test from 'ava';
import {createLatencyReservoir} from '#stb/repair/latency-reservoir.ts';

test('percentiles are of the nearest rank, and zero without a sample', (t) => {
	const reservoir = createLatencyReservoir();
	t.deepEqual(reservoir.percentiles(), {p50: 0, p99: 0});
	for (let index = 100; index >= 1; index -= 1) {
		reservoir.add(index);
	}
	t.deepEqual(reservoir.percentiles(), {p50: 50, p99: 99});
});

test('old samples are forgotten', (t) => {
	const reservoir = createLatencyReservoir();
	for (let index = 0; index < 5000; index += 1) {
		reservoir.add(index < 3000 ? 1_000_000 : 5);
	}
	t.deepEqual(reservoir.percentiles(), {p50: 5, p99: 5});
});
