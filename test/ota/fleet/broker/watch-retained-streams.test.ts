import test from 'ava';
import {createRetainedStreamWatch, toldEveryMs} from '#ota/fleet/broker/watch-retained-streams.ts';
import {eventually} from '#test/helper/eventually.ts';
import {enrolTestBox, withAuthority, withDeviceServer} from '#test/helper/with-authority.ts';
import {connectMqtt, withFleetBroker} from '#test/helper/with-fleet-broker.ts';
import {withFleetContext} from '#test/helper/with-fleet-context.ts';
import {databaseEngines} from '#test/helper/with-fleet-database.ts';

test('what a box retained on its streams is cleared from a real broker, and nothing else', async (t) => {
	const fixture = await withAuthority(t);
	const {url} = await withDeviceServer(t, fixture);
	const broker = await withFleetBroker(t, fixture, undefined, {guard: null});
	const {caPem} = fixture.trust.authority;
	const box = await connectMqtt(t, broker.boxUrl, {caPem, box: await enrolTestBox(fixture, url, 'box-1')});
	const other = await connectMqtt(t, broker.boxUrl, {caPem, box: await enrolTestBox(fixture, url, 'box-2')});
	const floodCount = 1200;
	await Promise.all(
		Array.from({length: floodCount}, (_, index) =>
			box.publishAsync(`sv/1/box-1/stream/s${index}/out`, 'x'.repeat(100), {qos: 1, retain: true}),
		),
	);
	await other.publishAsync('sv/1/box-2/stream/s/out', 'x', {qos: 1, retain: true});
	await other.publishAsync('sv/1/box-2/stream/live/out', 'x', {qos: 1});
	await other.publishAsync('sv/1/box-2/presence', 'here', {qos: 1, retain: true});
	const cleared = new Map<string, number>();
	// A sweep ends when the broker is silent for a moment; the next one takes the rest.
	await eventually('nothing is left to be cleared', async () => {
		const swept = await broker.clearRetainedStreams();
		for (const [name, count] of swept) {
			cleared.set(name, (cleared.get(name) ?? 0) + count);
		}
		return swept.size === 0;
	});
	t.deepEqual([...cleared].sort(), [
		['box-1', floodCount],
		['box-2', 1],
	]);
	const server = await connectMqtt(t, broker.serverUrl, {
		caPem,
		box: {
			keyPem: broker.serverCredentials?.keyPem ?? '',
			certificatePem: broker.serverCredentials?.certificatePem ?? '',
		},
	});
	const retained: string[] = [];
	server.on('message', (topic, _, {retain}) => {
		if (retain) {
			retained.push(topic);
		}
	});
	const {promise, resolve} = Promise.withResolvers<void>();
	server.on('message', (topic) => topic.endsWith('/reply') && resolve());
	await server.subscribeAsync('sv/1/#', {qos: 1});
	await other.publishAsync('sv/1/box-2/reply', 'last', {qos: 1});
	await promise;
	t.deepEqual(retained, ['sv/1/box-2/presence']);
});

for (const engine of databaseEngines) {
	test(`${engine}: a box that fills the broker is told of at once, and then not at every look`, async (t) => {
		const context = await withFleetContext(t, engine);
		const {database} = context.store;
		let left = new Map([['box-1', 7]]);
		const {turn} = createRetainedStreamWatch({
			...context,
			database,
			clearRetainedStreams: () => Promise.resolve(left),
		});
		const events = () => database.selectFrom('box_event').select(['box', 'severity', 'data']).execute();
		await turn();
		await turn();
		t.like(await events(), [{box: 'box-1', severity: 'critical'}]);
		t.regex((await events())[0]?.data ?? '', /"messages":7/u);
		left = new Map([
			['box-1', 1],
			['box-2', 1],
		]);
		await turn();
		t.deepEqual((await events()).map(({box}) => box).sort(), ['box-1', 'box-2']);
		context.advance(toldEveryMs);
		await turn();
		t.is((await events()).length, 4);
		left = new Map();
		context.advance(toldEveryMs);
		await turn();
		t.is((await events()).length, 4);
	});
}
