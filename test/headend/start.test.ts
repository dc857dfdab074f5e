import {createHash, randomBytes} from 'node:crypto';
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {gunzipSync} from 'node:zlib';
import test from 'ava';
import {signallingUris} from '#appliance/contract/gateway-session.ts';
import {headendStatusSchema} from '#appliance/contract/headend-status-schema.ts';
import {titleListSchema} from '#appliance/contract/title-schema.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {type TestHeadend, withHeadend} from '#test/helper/with-headend.ts';
import {type ReceivedObject, type TestReceiver, withReceiver} from '#test/helper/with-receiver.ts';

const endpointsOf = ({config}: TestHeadend) => {
	const {group, port, interfaceAddress, announcement} = config.uplink;
	const at = interfaceAddress === undefined ? {} : {interfaceAddress};
	return [
		{group, port, ...at},
		{group: announcement.group, port: announcement.port, ...at},
	];
};

const identityOf = async ({object, path}: ReceivedObject): Promise<Buffer> => {
	const bytes = await readFile(path);
	return object.contentEncoding === 'gzip' ? gunzipSync(bytes) : bytes;
};

const received = (receiver: TestReceiver, uri: string): Promise<ReceivedObject> =>
	eventually(`${uri} arrives`, () => receiver.complete.get(uri));

test('an object that is put by HTTP arrives byte for byte with what the FDT says of it', async (t) => {
	const headend = await withHeadend(t);
	const receiver = await withReceiver(t, endpointsOf(headend));
	const bytes = randomBytes(1_234_567);
	const answer = await fetch(`${headend.url}/catalogue/vod/a%20b/seg1.m4s`, {
		method: 'PUT',
		body: bytes,
		headers: {
			'Content-Type': 'video/iso.segment',
			'Streamverse-Priority': 'high',
			'Streamverse-Service': 'vod-ab',
			'Streamverse-Expires': '2099-01-01T00:00:00Z',
		},
	});
	t.is(answer.status, 201);
	t.is(answer.headers.get('Streamverse-Fits'), 'yes');
	const got = await received(receiver, 'http://dvb.gw/streamverse/vod/a%20b/seg1.m4s');
	const sha256 = createHash('sha256').update(bytes).digest('hex');
	t.is(got.sha256, sha256);
	t.deepEqual(await identityOf(got), bytes);
	t.is(got.object.entityTag, `"${sha256}"`);
	t.is(got.object.contentType, 'video/iso.segment');
	t.like(got.object.extension, {priority: 'high', service: 'vod-ab'});
	t.is(got.object.tsi, 1);
});

test('the announcement channel repeats all that a set-top needs to tune', async (t) => {
	const headend = await withHeadend(t);
	const receiver = await withReceiver(t, endpointsOf(headend).slice(1));
	for (const uri of Object.values(signallingUris)) {
		const got = await received(receiver, uri);
		t.true((await identityOf(got)).length > 0, uri);
	}
	const list = await received(receiver, 'http://dvb.gw/streamverse/signalling/titles.json');
	t.deepEqual(titleListSchema.parse(JSON.parse((await identityOf(list)).toString())), {version: 1, titles: []});
});

test('a folder becomes titles, is sent whole, and follows what happens in it', async (t) => {
	const directory = await withDirectory(t);
	await mkdir(join(directory, 'vod/film'), {recursive: true});
	const playlist = `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\nmedia.m3u8\n${'# padding\n'.repeat(100)}`;
	await writeFile(join(directory, 'vod/film/master.m3u8'), playlist);
	await writeFile(join(directory, 'vod/film/service.json'), JSON.stringify({id: 'film', name: 'The Film'}));
	const segment = randomBytes(300_000);
	await writeFile(join(directory, 'vod/film/seg1.m4s'), segment);
	const headend = await withHeadend(t, {sections: {catalogue: {directory, directorySettleMs: 200}}});
	const receiver = await withReceiver(t, endpointsOf(headend));

	const master = await received(receiver, 'http://dvb.gw/streamverse/vod/film/master.m3u8');
	t.is(master.object.contentEncoding, 'gzip');
	t.is((await identityOf(master)).toString(), playlist);
	t.is(master.object.entityTag, `"${createHash('sha256').update(playlist).digest('hex')}"`);
	t.deepEqual(await identityOf(await received(receiver, 'http://dvb.gw/streamverse/vod/film/seg1.m4s')), segment);
	// The folder's description may come to rest one scan after its manifest.
	await eventually('the title is called as service.json says', async () => {
		const {titles} = titleListSchema.parse(await (await fetch(`${headend.url}/titles`)).json());
		return titles.length === 1 && titles[0]?.id === 'film' && titles[0].name === 'The Film' && titles[0].kind === 'vod';
	});

	await writeFile(join(directory, 'vod/film/seg2.m4s'), segment.subarray(0, 1000));
	await received(receiver, 'http://dvb.gw/streamverse/vod/film/seg2.m4s');
	await writeFile(join(directory, 'vod/film/seg1.m4s'), segment.subarray(0, 2000));
	await eventually('the new bytes arrive', () => {
		const again = receiver.complete.get('http://dvb.gw/streamverse/vod/film/seg1.m4s');
		return again?.object.contentLength === 2000;
	});
});

test('the status says what is on air and keeps its schema', async (t) => {
	const headend = await withHeadend(t, {sections: {uplink: {rateBps: 4_000_000}}});
	await fetch(`${headend.url}/catalogue/vod/big.bin`, {method: 'PUT', body: randomBytes(3_000_000)});
	const status = await eventually('it is on air', async () => {
		const parsed = headendStatusSchema.parse(await (await fetch(`${headend.url}/status`)).json());
		return parsed.onAir.length > 0 && parsed.uplink.sentBps > 0 ? parsed : undefined;
	});
	t.like(status.onAir[0], {path: 'vod/big.bin', priority: 'medium', sizeBytes: 3_000_000});
	t.is(status.carousel.objects, 1);
	t.deepEqual(status.carousel.doesNotFit, []);
	const metrics = await (await fetch(`${headend.url}/metrics`)).text();
	t.regex(metrics, /headend_carousel_objects 1/u);
});

test('what does not fit is said in the answer and in the status, and the rest goes on', async (t) => {
	const headend = await withHeadend(t, {
		sections: {uplink: {rateBps: 1_000_000}, carousel: {cycleMs: 10_000, shares: {high: 0.5, medium: 0.3, low: 0.2}}},
	});
	const put = (name: string, sizeBytes: number) =>
		fetch(`${headend.url}/catalogue/${name}`, {method: 'PUT', body: randomBytes(sizeBytes)});
	t.is((await put('small.bin', 100_000)).headers.get('Streamverse-Fits'), 'yes');
	const answer = await put('large.bin', 2_000_000);
	t.is(answer.status, 201);
	t.is(answer.headers.get('Streamverse-Fits'), 'no');
	const status = await eventually('the plan knows', async () => {
		const parsed = headendStatusSchema.parse(await (await fetch(`${headend.url}/status`)).json());
		return parsed.carousel.doesNotFit.length > 0 ? parsed : undefined;
	});
	t.is(status.carousel.doesNotFit[0]?.path, 'large.bin');
	t.regex(status.carousel.doesNotFit[0]?.reason ?? '', /raise the rate or the cycle/u);
	t.is(status.carousel.objects, 1);
});
