import {randomBytes} from 'node:crypto';
import test from 'ava';
import {sleep} from '#appliance/time/sleep.ts';
import {eventually} from '#test/helper/eventually.ts';
import {digestOf, withSatellite} from '#test/helper/with-satellite.ts';

const segments = 6;

test('a live channel reaches the set-top segment by segment over loss, and its playlist stays the newest', async (t) => {
	const satellite = await withSatellite(t, {
		model: {seed: 31, lossRatio: 0.05},
		fecPercent: 5,
		rateBps: 12_000_000,
		headend: {ingest: {channels: [{id: 'one', name: 'One', channelNumber: 1}]}},
	});
	const push = async (name: string, contentType: string, bytes: Buffer): Promise<void> => {
		const response = await fetch(`${satellite.headendUrl}/ingest/one/${name}`, {
			method: 'PUT',
			headers: {'content-type': contentType},
			body: new Uint8Array(bytes),
		});
		t.true(response.ok, `${name}: ${response.status} ${await response.text()}`);
	};
	const playlist = (last: number): Buffer =>
		Buffer.from(
			`#EXTM3U\n#EXT-X-TARGETDURATION:1\n${Array.from({length: last}, (_, index) => `#EXTINF:1,\nseg-${index + 1}.m4s\n`).join('')}`,
		);
	const latenciesMs: number[] = [];
	for (let index = 1; index <= segments; index += 1) {
		const bytes = randomBytes(250_000);
		const pushedMs = performance.now();
		await push(`seg-${index}.m4s`, 'video/iso.segment', bytes);
		await push('media.m3u8', 'application/vnd.apple.mpegurl', playlist(index));
		if (index === 4) {
			satellite.link.fade(700);
		}
		const served = await eventually(`segment ${index} is served`, async () => {
			const response = await fetch(`${satellite.stbUrl()}/streamverse/live/one/seg-${index}.m4s`);
			const body = Buffer.from(await response.arrayBuffer());
			return response.ok && body.length === bytes.length && body;
		});
		latenciesMs.push(Math.round(performance.now() - pushedMs));
		t.is(digestOf(served), digestOf(bytes), `segment ${index}`);
		await sleep(200);
	}
	await eventually('the newest playlist is served', async () => {
		const response = await fetch(`${satellite.stbUrl()}/streamverse/live/one/media.m3u8`);
		return (await response.text()) === playlist(segments).toString();
	});
	const {repair, objects, terrestrial} = await satellite.status();
	t.log('push to play', latenciesMs, {repair, received: objects.received, failed: objects.failed, terrestrial});
	t.is(objects.failed, 0);
	t.true(Math.max(...latenciesMs) < 20_000);
});
