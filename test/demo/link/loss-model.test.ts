import test from 'ava';
import fc from 'fast-check';
import {createLossModel, fadeWithin, type LossOptions, type PacketFate} from '#demo/link/loss-model.ts';

const fatesOf = (options: LossOptions, packets: number): readonly PacketFate[] => {
	const model = createLossModel(options);
	return Array.from({length: packets}, (_, index) => model.decide(index));
};

const shareOf = (fates: readonly PacketFate[], fate: PacketFate): number =>
	fates.filter((one) => one === fate).length / fates.length;

const meanRun = (fates: readonly PacketFate[]): number => {
	const runs =
		fates
			.map((fate) => (fate === 'lose' ? 'x' : '.'))
			.join('')
			.match(/x+/gu) ?? [];
	return runs.reduce((sum, run) => sum + run.length, 0) / runs.length;
};

test('the same seed gives the same fates, another seed gives others', (t) => {
	fc.assert(
		fc.property(fc.integer({min: 0, max: 2 ** 31}), (seed) => {
			const options = {seed, lossRatio: 0.3, duplicateRatio: 0.1, delayRatio: 0.1};
			t.deepEqual(fatesOf(options, 200), fatesOf(options, 200));
			t.notDeepEqual(fatesOf(options, 200), fatesOf({...options, seed: seed + 1}, 200));
		}),
		{seed: 1, numRuns: 50},
	);
});

test('the share of packets lost is the ratio that was asked for', (t) => {
	fc.assert(
		fc.property(fc.integer({min: 0, max: 1000}), fc.double({min: 0, max: 0.5, noNaN: true}), (seed, lossRatio) => {
			t.true(Math.abs(shareOf(fatesOf({seed, lossRatio}, 20_000), 'lose') - lossRatio) < 0.02);
		}),
		{seed: 2, numRuns: 25},
	);
});

test('bursts keep the ratio and have the mean length that was asked for', (t) => {
	const fates = fatesOf({seed: 3, lossRatio: 0.05, burstPacketsMean: 8}, 400_000);
	t.true(Math.abs(shareOf(fates, 'lose') - 0.05) < 0.005);
	t.true(Math.abs(meanRun(fates) - 8) < 0.5);
});

test('without loss every packet passes', (t) => {
	t.is(shareOf(fatesOf({seed: 4}, 1000), 'pass'), 1);
});

test('a fade loses exactly the packets of its span', (t) => {
	const fates = fatesOf({seed: 5, fades: [{atMs: 100, durationMs: 50}]}, 300);
	t.deepEqual(
		fates.flatMap((fate, index) => (fate === 'fade' ? [index] : [])),
		Array.from({length: 50}, (_, index) => 100 + index),
	);
});

test('a fade that passes while nothing is sent begins with the next packet', (t) => {
	const model = createLossModel({seed: 5, fades: [{atMs: 100, durationMs: 50}]});
	const at = [99, 5000, 5049, 5050, 6000];
	t.deepEqual(
		at.map((elapsedMs) => model.decide(elapsedMs)),
		['pass', 'fade', 'fade', 'pass', 'pass'],
	);
});

test('impairments have their shares', (t) => {
	const fates = fatesOf(
		{seed: 6, duplicateRatio: 0.1, delayRatio: 0.05, truncateRatio: 0.02, corruptRatio: 0.03},
		50_000,
	);
	const expected = {duplicate: 0.1, delay: 0.05, truncate: 0.02, corrupt: 0.03} as const;
	for (const [fate, share] of Object.entries(expected)) {
		t.true(Math.abs(shareOf(fates, fate as PacketFate) - share) < 0.005, fate);
	}
});

test('a seeded fade lies inside its span', (t) => {
	fc.assert(
		fc.property(fc.integer(), fc.integer({min: 10_000, max: 600_000}), (seed, spanMs) => {
			const [fade] = fadeWithin({seed, spanMs, durationMs: 3000});
			t.true(fade !== undefined && fade.atMs >= 0 && fade.atMs + fade.durationMs <= spanMs);
		}),
		{seed: 7},
	);
	t.deepEqual(fadeWithin({seed: 1, spanMs: 1000, durationMs: 0}), []);
});
