import test from 'ava';
import {eventually} from '#test/helper/eventually.ts';
import {withPlayer} from '#test/helper/with-player.ts';
import {withSampleTitle} from '#test/helper/with-sample-title.ts';
import {withSatellite} from '#test/helper/with-satellite.ts';

/** The last frame of a title is shown a little before its nominal end. */
const endToleranceMs = 600;

test.serial('a browser plays a title from the cache after satellite and return path have gone', async (t) => {
	const title = await withSampleTitle(t, 8000);
	const satellite = await withSatellite(t, {model: {seed: 1, lossRatio: 0.01}, fecPercent: 5});
	await title.put(satellite.headendUrl, [...title.manifests, ...title.segments]);
	for (const name of [...title.manifests, ...title.segments]) {
		await satellite.received(`vod/sample/${name}`);
	}
	const player = await withPlayer(t, satellite.stbUrl(), title.id);
	const before = await satellite.status();
	satellite.link.setModel({seed: 1, lossRatio: 1});
	await satellite.stopPopNode();
	const ended = await player.until('it plays to its end', ({state, currentTimeMs}) => {
		return state === 'ended' || currentTimeMs >= title.durationMs - endToleranceMs;
	});
	const after = await satellite.status();
	t.log(`startup ${ended.startupMs} ms, ${ended.framesDecoded} frames, ${ended.stalls} stalls`);
	t.true(ended.framesDecoded > 150, `${ended.framesDecoded} frames`);
	t.is(after.terrestrial.requests, before.terrestrial.requests);
	t.true(after.cache.hits > 0);
});

test.serial('a browser plays a title while it is still arriving, from the air alone', async (t) => {
	// On its way for so long that a browser which starts slowly finds it unfinished all the same.
	const title = await withSampleTitle(t, 30_000);
	const satellite = await withSatellite(t, {model: {seed: 2}, rateBps: 1_000_000, popNode: false});
	await title.put(satellite.headendUrl, title.manifests);
	for (const name of ['master.m3u8', 'media_0.m3u8', 'media_1.m3u8']) {
		await satellite.received(`vod/sample/${name}`);
	}
	await title.put(satellite.headendUrl, title.segments);
	const player = await withPlayer(t, satellite.stbUrl(), title.id);
	const started = await player.until('the first frame is there', ({startupMs}) => startupMs !== undefined);
	const stored = (await satellite.status()).cache.objects;
	t.true(stored < title.segments.length + title.manifests.length, `${stored} objects were there already`);
	const ended = await player.until('it plays to its end', ({state, currentTimeMs}) => {
		return state === 'ended' || currentTimeMs >= title.durationMs - endToleranceMs;
	});
	t.log(`startup ${started.startupMs} ms, ${ended.framesDecoded} frames, ${ended.stalls} stalls`);
	const {terrestrial, repair} = await satellite.status();
	t.is(terrestrial.bytes + repair.bytes, 0);
	await eventually('all of it is in the cache', async () => {
		return (await satellite.status()).cache.objects >= title.segments.length;
	});
});
