import {randomBytes} from 'node:crypto';
import test from 'ava';
import {headendStatusSchema} from '#appliance/contract/headend-status-schema.ts';
import {idealThresholdDb} from '#appliance/contract/ideal-threshold.ts';
import {findModcod} from '#headend/uplink/find-modcod.ts';
import {seededRandom} from '#test/helper/seeded-random.ts';
import {digestOf, withSatellite} from '#test/helper/with-satellite.ts';

/** On a machine that is busy with other tests a pause of the sender is no end of a transmission. */
const patient = {objectIdleMs: 8000};
/** 8PSK 3/4 with pilots gives 13 Mbit/s of it. */
const transponder = {symbolRateKsps: 6000, modulation: '8PSK', codeRate: '3/4'} as const;

const arrives = test.macro<['mpe' | 'gse']>({
	exec: async (t, form) => {
		const satellite = await withSatellite(t, {
			model: {seed: 5},
			...{receive: patient, signal: {form, ...transponder}, popNode: false},
		});
		const objects = [1_900_001, 700, 1, 0].map(
			(size, index) => [`vod/film/part-${index}.bin`, randomBytes(size)] as const,
		);
		for (const [path, bytes] of objects) {
			await satellite.put(path, bytes);
		}
		for (const [path, bytes] of objects) {
			t.is(digestOf(await satellite.received(path)), digestOf(bytes), path);
		}
		const {objects: received, repair} = await satellite.status();
		t.is(received.failed, 0);
		t.is(repair.requests, 0, 'all of it came by the signal');
		const damage = Object.entries(satellite.dish?.stats().damage ?? {}).filter(([, count]) => count > 0);
		t.deepEqual(damage, []);
		const {link} = headendStatusSchema.parse(await (await fetch(`${satellite.headendUrl}/status`)).json());
		t.is(link?.form, form);
		t.is(link?.output?.droppedDatagrams, 0, 'the plan keeps within what the transponder carries');
		t.is(satellite.dish?.contents().carrier, form === 'mpe' ? 'ts' : 'bbframe');
	},
	title: (_, form) => `objects arrive byte for byte from the catalogue through ${form.toUpperCase()} to the set-top`,
});

test.serial(arrives, 'mpe');
test.serial(arrives, 'gse');

/** White noise of this Es/N0, at two samples per symbol (EN 302 307-1, 6). */
const noise = (esN0Db: number) => {
	const random = seededRandom(3);
	const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
	let meanPower = 0;
	return (samples: Int16Array): void => {
		const power = samples.reduce((sum, each) => sum + each * each, 0) / Math.max(1, samples.length / 2);
		meanPower ||= power;
		const deviation = Math.sqrt((meanPower * 2) / 10 ** (esN0Db / 10) / 2);
		for (const [index, each] of samples.entries()) {
			samples[index] = Math.max(-32_768, Math.min(32_767, Math.round(each + normal() * deviation)));
		}
	};
};

test.serial('objects arrive byte for byte through I/Q with noise, 1 dB above the threshold of 8PSK 3/4', async (t) => {
	t.timeout(240_000);
	const thresholdDb = idealThresholdDb(findModcod({...transponder, frame: 'normal', pilots: true})) ?? Number.NaN;
	const satellite = await withSatellite(t, {
		model: {seed: 5},
		receive: {objectIdleMs: 60_000},
		signal: {form: 'iq', ...transponder, symbolRateKsps: 100},
		impair: noise(thresholdDb + 1),
		popNode: false,
		// Signalling every second would be most of what such a transponder carries.
		headend: {carousel: {signallingIntervalMs: 5000}},
		tunedTimeoutMs: 120_000,
	});
	const bytes = randomBytes(20_001);
	await satellite.put('vod/film/part.bin', bytes);
	t.is(digestOf(await satellite.received('vod/film/part.bin', {timeoutMs: 120_000})), digestOf(bytes));
	const signal = await satellite.dish?.signal?.();
	t.is(signal?.failedFrames, 0);
	t.true(Math.abs((signal?.merDb ?? 0) - thresholdDb - 1) < 0.5, `MER ${signal?.merDb}`);
	t.is((await satellite.status()).repair.requests, 0, 'all of it came by the signal');
});
