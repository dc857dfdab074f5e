import test from 'ava';
import {stbStatusSchema, stbTitlesSchema} from '#appliance/contract/stb-status-schema.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withSatellite} from '#test/helper/with-satellite.ts';

test('the box tells its status, titles, cache, signalling and metrics, and its page', async (t) => {
	const satellite = await withSatellite(t, {model: {seed: 1}});
	const url = satellite.stbUrl();
	await satellite.put('vod/film/master.m3u8', Buffer.from('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n'));
	await satellite.received('vod/film/master.m3u8');
	const titles = await eventually('the title is known', async () => {
		const answer = stbTitlesSchema.parse(await (await fetch(`${url}/box/titles`)).json()).titles;
		return answer.length > 0 && answer;
	});
	t.like(titles[0], {playPath: '/streamverse/vod/film/master.m3u8', cachedObjects: 1});

	const events = await fetch(`${url}/box/events`);
	t.regex(events.headers.get('content-type') ?? '', /^text\/event-stream/u);
	let text = '';
	for await (const chunk of events.body ?? []) {
		text += Buffer.from(chunk).toString();
		if (text.split('\n\n').length > 2) {
			break;
		}
	}
	const status = stbStatusSchema.parse(JSON.parse(text.slice('data: '.length, text.indexOf('\n\n'))));
	t.true(status.tuned.announced && status.receive.packets > 0 && status.receive.rateBps >= 0);

	const page = (await (await fetch(`${url}/box/cache?limit=1`)).json()) as {objects: unknown[]; next?: string};
	t.is(page.objects.length, 1);
	t.is(typeof page.next, 'string');
	t.is((await fetch(`${url}/box/cache?limit=0`)).status, 400);
	const nif = await fetch(`${url}/box/signalling?uri=urn:dvb:metadata:nativeip:NetworkInformationFile`);
	t.regex(await nif.text(), /NetworkInformationFile/u);
	t.is((await fetch(`${url}/box/signalling?uri=urn:x`)).status, 404);
	t.regex(await (await fetch(`${url}/box/metrics`)).text(), /^streamverse_stb_objects_received_total [1-9]/mu);
	t.regex(await (await fetch(`${url}/`)).text(), /<html/iu);
	t.is((await fetch(`${url}/box/assets/stb/page/main.ts`)).status, 200);
	t.is((await fetch(`${url}/box/nothing`)).status, 404);
	t.is((await fetch(`${url}/streamverse/..%2f..%2fetc/passwd`)).status >= 400, true);
});
