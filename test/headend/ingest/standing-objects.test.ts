import test, {type ExecutionContext} from 'ava';
import {cataloguePageSchema} from '#appliance/contract/catalogue-schema.ts';
import {type Clock, systemClock} from '#appliance/time/clock.ts';
import {eventually} from '#test/helper/eventually.ts';
import {recordingSender} from '#test/helper/recording-sender.ts';
import {withHeadend} from '#test/helper/with-headend.ts';

const init = Buffer.concat([
	Buffer.from([0, 0, 0, 8]),
	Buffer.from('ftyp'),
	Buffer.from([0, 0, 0, 8]),
	Buffer.from('moov'),
]);
const master = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nmedia.m3u8\n';
const dayMs = 24 * 3_600_000;

const withChannel = async (t: ExecutionContext, windowMs: number) => {
	let aheadMs = 0;
	const clock: Clock = {...systemClock, nowMs: () => Date.now() + aheadMs};
	const headend = await withHeadend(t, {
		sections: {ingest: {windowMs}},
		openSender: recordingSender().open,
		clock,
	});
	return {
		nowMs: clock.nowMs,
		advance: (ms: number) => {
			aheadMs += ms;
		},
		push: (name: string, body: string | Buffer) =>
			fetch(`${headend.url}/ingest/one/${name}`, {method: 'PUT', body: Buffer.from(body)}),
		objects: async () => {
			const page = cataloguePageSchema.parse(await (await fetch(`${headend.url}/catalogue`)).json());
			return new Map(page.objects.map((object) => [object.path.slice('live/one/'.length), object]));
		},
	};
};

test('what an encoder sends only once stays as long as its channel, and no longer', async (t) => {
	const {advance, push, objects} = await withChannel(t, 60_000);
	await push('master.m3u8', master);
	await push('init.m4s', init);
	await push('0.m4s', 'a segment');
	t.is((await objects()).get('master.m3u8')?.freshUntilMs, undefined, 'nobody is made to look for a newer one');
	for (const index of [1, 2, 3]) {
		await push('media.m3u8', `#EXTM3U\n#EXTINF:1,\n${index}.m4s\n`);
		await push(`${index}.m4s`, `segment ${index}`);
		advance(50_000);
	}
	await push('4.m4s', 'segment 4');
	await eventually('the first segment is old', async () => !(await objects()).has('0.m4s'));
	const now = await objects();
	t.true(now.has('master.m3u8') && now.has('init.m4s'));
	advance(61_000);
	await eventually('all of it has gone with its channel', async () => (await objects()).size === 0);
});

test('a channel that is on for weeks keeps what it sent once', async (t) => {
	const {nowMs, advance, push, objects} = await withChannel(t, 10 * dayMs);
	await push('master.m3u8', master);
	await push('init.m4s', init);
	for (let index = 0; index < 5; index += 1) {
		await push('media.m3u8', `#EXTM3U\n#EXTINF:1,\n${index}.m4s\n`);
		advance(3 * dayMs);
		await eventually('its life is prolonged', async () => {
			const now = await objects();
			return ['init.m4s', 'master.m3u8'].every((name) => (now.get(name)?.expiresMs ?? 0) > nowMs() + 3.4 * dayMs);
		});
	}
	t.pass();
});

test('a channel whose encoder outlives a restart of the headend stays whole', async (t) => {
	const first = await withHeadend(t, {openSender: recordingSender().open});
	const put = (url: string, name: string, body: string | Buffer) =>
		fetch(`${url}/ingest/one/${name}`, {method: 'PUT', body: Buffer.from(body)});
	await put(first.url, 'master.m3u8', master);
	await put(first.url, 'init.m4s', init);
	await put(first.url, '1.m4s', 'segment 1');
	await first.stop();
	const sender = recordingSender();
	const second = await withHeadend(t, {openSender: sender.open, stateDirectory: first.stateDirectory});
	for (const name of ['master.m3u8', 'init.m4s', '1.m4s']) {
		t.is((await fetch(`${second.url}/catalogue/live/one/${name}`)).status, 200, name);
	}
	await eventually('what stands is on air again', () => {
		const bodies = new Set(sender.jobs.filter(({tsi, toi}) => tsi === 2 && toi !== 0).map(({toi}) => toi));
		return bodies.size === 2;
	});
	await put(second.url, '2.m4s', 'segment 2');
	t.is((await fetch(`${second.url}/catalogue/live/one/init.m4s`)).status, 200);
});
