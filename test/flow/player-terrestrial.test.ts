import test from 'ava';
import {titleKnown, withPlayer} from '#test/helper/with-player.ts';
import {withSampleTitle} from '#test/helper/with-sample-title.ts';
import {withSatellite} from '#test/helper/with-satellite.ts';

const endToleranceMs = 600;

test.serial('a browser plays what the satellite never brought, by way of the pop-node', async (t) => {
	const title = await withSampleTitle(t, 8000);
	const satellite = await withSatellite(t, {model: {seed: 3}});
	await title.put(satellite.headendUrl, title.manifests);
	await titleKnown(satellite.stbUrl(), title.id);
	// From here on nothing comes over the air any more, and only then the pictures are published.
	satellite.link.setModel({seed: 3, lossRatio: 1});
	await title.put(satellite.headendUrl, title.segments);
	const player = await withPlayer(t, satellite.stbUrl(), title.id);
	const ended = await player.until('it plays to its end', ({state, currentTimeMs}) => {
		return state === 'ended' || currentTimeMs >= title.durationMs - endToleranceMs;
	});
	t.log(`startup ${ended.startupMs} ms, ${ended.framesDecoded} frames, ${ended.stalls} stalls`);
	const {terrestrial} = await satellite.status();
	t.true(terrestrial.requests >= 4 && terrestrial.bytes > 100_000, JSON.stringify(terrestrial));
	t.true(ended.framesDecoded > 150);
});

test.serial('a browser plays through an outage of the pop-node in mid-play', async (t) => {
	const title = await withSampleTitle(t, 20_000);
	const satellite = await withSatellite(t, {model: {seed: 4, lossRatio: 0.05}, rateBps: 1_500_000});
	await title.put(satellite.headendUrl, title.manifests);
	await titleKnown(satellite.stbUrl(), title.id);
	await title.put(satellite.headendUrl, title.segments);
	const player = await withPlayer(t, satellite.stbUrl(), title.id);
	await player.until('it plays', ({currentTimeMs}) => currentTimeMs > 500);
	await satellite.stopPopNode();
	const during = await player.until('it plays on without the pop-node', ({currentTimeMs}) => currentTimeMs > 6000);
	await satellite.startPopNode();
	const ended = await player.until('it plays to its end', ({state, currentTimeMs}) => {
		return state === 'ended' || currentTimeMs >= title.durationMs - endToleranceMs;
	});
	t.log(`${during.stalls} stalls in the outage, ${ended.stalls} in all, ${ended.framesDecoded} frames`);
	t.true(ended.framesDecoded > 400);
	t.is(ended.error, undefined);
});
