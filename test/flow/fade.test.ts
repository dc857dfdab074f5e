import {randomBytes} from 'node:crypto';
import test from 'ava';
import {eventually} from '#test/helper/eventually.ts';
import {digestOf, withSatellite} from '#test/helper/with-satellite.ts';

const isArriving = async (satellite: Awaited<ReturnType<typeof withSatellite>>): Promise<boolean> =>
	(await satellite.status()).objects.arriving.some(({receivedBytes}) => receivedBytes > 300_000);

/** A pause of the sender is no end of a transmission; its last packet tells the end. */
const patient = {objectIdleMs: 8000};

test.serial('a fade amid an object is repaired', async (t) => {
	const satellite = await withSatellite(t, {
		model: {seed: 3},
		fecPercent: 5,
		rateBps: 8_000_000,
		receive: patient,
	});
	const bytes = randomBytes(3_000_000);
	await satellite.put('vod/film/seg-1.m4s', bytes);
	await eventually('the object arrives', () => isArriving(satellite));
	// By packets: of a second the machine may take all from the sender.
	satellite.link.setModel({seed: 3, lossRatio: 1});
	await eventually('much of it is lost', () => satellite.link.stats().lost > 600);
	satellite.link.setModel({seed: 3});
	t.is(digestOf(await satellite.received('vod/film/seg-1.m4s')), digestOf(bytes));
	// Who asks may read it a moment before it is counted.
	await eventually('it counts as repaired', async () => (await satellite.status()).objects.repaired === 1);
	const {repair} = await satellite.status();
	t.true(repair.bytes > 300_000 && repair.bytes < bytes.length, `${repair.bytes} bytes repaired`);
});

test.serial('a pop-node that is away while repair is due is asked again until it is back', async (t) => {
	const satellite = await withSatellite(t, {
		model: {seed: 4, lossRatio: 0.1},
		rateBps: 8_000_000,
		receive: patient,
		repair: {attemptsMax: 100, requestTimeoutMs: 2000},
	});
	const bytes = randomBytes(1_500_000);
	await satellite.put('vod/film/seg-1.m4s', bytes);
	await eventually('the object arrives', () => isArriving(satellite));
	await satellite.stopPopNode();
	await eventually('repair has failed a few times', async () => (await satellite.status()).repair.failures >= 3);
	await satellite.startPopNode();
	t.is(digestOf(await satellite.received('vod/film/seg-1.m4s')), digestOf(bytes));
	t.is((await satellite.status()).objects.failed, 0);
});

test.serial('without any return path the carousel’s next passes fill the holes', async (t) => {
	const satellite = await withSatellite(t, {
		model: {seed: 5, lossRatio: 0.1},
		rateBps: 8_000_000,
		popNode: false,
		repair: {enabled: false},
	});
	const bytes = randomBytes(700_000);
	await satellite.put('vod/film/seg-1.m4s', bytes);
	t.is(digestOf(await satellite.received('vod/film/seg-1.m4s')), digestOf(bytes));
	t.is((await satellite.status()).repair.requests, 0);
});

test.serial('a player reads an object while it arrives, over loss, and gets its bytes exactly', async (t) => {
	const satellite = await withSatellite(t, {
		...{model: {seed: 6, lossRatio: 0.05}, rateBps: 2_500_000},
		receive: patient,
	});
	const bytes = randomBytes(2_000_000);
	await satellite.put('vod/film/seg-1.m4s', bytes);
	await eventually('the object arrives', () => isArriving(satellite));
	const response = await fetch(`${satellite.stbUrl()}/streamverse/vod/film/seg-1.m4s`);
	t.is(response.headers.get('streamverse-source'), 'arriving');
	t.is(response.headers.get('content-length'), String(bytes.length));
	const chunks: Buffer[] = [];
	let [longestWaitMs, atMs, repairedMeanwhile] = [0, performance.now(), false];
	for await (const chunk of response.body ?? []) {
		if (!repairedMeanwhile) {
			const {objects, repair} = await satellite.status();
			repairedMeanwhile = objects.arriving[0]?.phase === 'receiving' && repair.requests > 0;
		}
		chunks.push(Buffer.from(chunk));
		longestWaitMs = Math.max(longestWaitMs, performance.now() - atMs);
		atMs = performance.now();
	}
	// Without a player that waits, repair begins when the transmission has ended.
	t.true(repairedMeanwhile);
	t.is(digestOf(Buffer.concat(chunks)), digestOf(bytes));
	const {repair, terrestrial} = await satellite.status();
	t.log(`longest wait ${Math.round(longestWaitMs)} ms`, repair, terrestrial);
	t.is(terrestrial.requests, 0);
	t.is(digestOf(await satellite.received('vod/film/seg-1.m4s')), digestOf(bytes));
});
