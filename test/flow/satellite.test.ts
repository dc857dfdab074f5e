import {randomBytes} from 'node:crypto';
import test from 'ava';
import {digestOf, withSatellite} from '#test/helper/with-satellite.ts';

test('an object goes from the headend to the set-top without loss, and nothing is repaired', async (t) => {
	const satellite = await withSatellite(t, {model: {seed: 1}});
	const bytes = randomBytes(3_000_000);
	await satellite.put('vod/film/seg-1.m4s', bytes);
	const served = await satellite.received('vod/film/seg-1.m4s');
	t.is(digestOf(served), digestOf(bytes));
	const status = await satellite.status();
	t.is(status.repair.requests, 0);
	t.is(status.objects.failed, 0);
	t.like(status.objects, {received: status.cache.objects});
});
