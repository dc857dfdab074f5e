import {randomBytes} from 'node:crypto';
import test from 'ava';
import {eventually} from '#test/helper/eventually.ts';
import {digestOf, withSatellite} from '#test/helper/with-satellite.ts';

/** On a machine that is busy with other tests a pause of the sender is no end of a transmission. */
const patient = {objectIdleMs: 8000};

test.serial('an object goes from the headend to the set-top without loss, and nothing is repaired', async (t) => {
	const satellite = await withSatellite(t, {model: {seed: 1}, receive: patient});
	const bytes = randomBytes(3_000_000);
	await satellite.put('vod/film/seg-1.m4s', bytes);
	const served = await satellite.received('vod/film/seg-1.m4s');
	t.is(digestOf(served), digestOf(bytes));
	const status = await satellite.status();
	t.is(status.repair.requests, 0);
	t.is(status.objects.failed, 0);
	// What is listed is counted as received a moment later.
	await eventually('each is counted', async () => {
		const {objects, cache} = await satellite.status();
		return objects.received === cache.objects;
	});
});

const objects = [
	['vod/film/init.mp4', 900],
	['vod/film/seg-1.m4s', 1_400_000],
	['vod/film/seg-2.m4s', 600_001],
	['vod/film/empty.bin', 0],
	['vod/film/one.bin', 1],
] as const;

const playlist = Buffer.from(`#EXTM3U\n${'#EXTINF:4,\nseg-1.m4s\n'.repeat(200)}`);

const arrives = test.macro<
	[{readonly lossRatio: number; readonly fecPercent: number; readonly repair: 'never' | 'needed'}]
>({
	exec: async (t, {lossRatio, fecPercent, repair}) => {
		const satellite = await withSatellite(t, {
			model: {seed: 11, lossRatio},
			...{fecPercent, rateBps: 12_000_000},
			...(repair === 'never' ? {receive: patient} : {}),
		});
		const sent = objects.map(([path, size]) => [path, randomBytes(size)] as const);
		for (const [path, bytes] of [...sent, ['vod/film/index.m3u8', playlist] as const]) {
			await satellite.put(path, bytes);
		}
		for (const [path, bytes] of [...sent, ['vod/film/index.m3u8', playlist] as const]) {
			t.is(digestOf(await satellite.received(path)), digestOf(bytes), path);
		}
		const status = await satellite.status();
		t.is(status.repair.requests > 0, repair === 'needed', JSON.stringify(status.repair));
		t.is(status.receive.fecRecoveredBytes > 0, fecPercent > 0 && lossRatio > 0);
		t.is(status.objects.failed, 0);
	},
	title: (_, {lossRatio, fecPercent, repair}) =>
		`objects arrive byte for byte over ${lossRatio * 100} % loss with ${fecPercent} % FEC, repair ${repair}`,
});

test.serial(arrives, {lossRatio: 0.01, fecPercent: 20, repair: 'never'});
test.serial(arrives, {lossRatio: 0.01, fecPercent: 0, repair: 'needed'});
test.serial(arrives, {lossRatio: 0.05, fecPercent: 25, repair: 'never'});
test.serial(arrives, {lossRatio: 0.05, fecPercent: 0, repair: 'needed'});
test.serial(arrives, {lossRatio: 0.2, fecPercent: 5, repair: 'needed'});
