import test from 'ava';
import fc from 'fast-check';
import {payloadBytesMax} from '#appliance/contract/fleet/topic.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import {createMessageRouter} from '#appliance/mqtt/message-router.ts';
import {eventually} from '#test/helper/eventually.ts';
import {testBox, withFleetLink} from '#test/helper/with-fleet-link.ts';

const createRouter = () => {
	const taken: string[] = [];
	const route = createMessageRouter({
		deviceId: testBox,
		logger: silentLogger(),
		takers: {
			desired: (payload) => Promise.resolve(void taken.push(`desired ${payload}`)),
			acknowledged: ({event}) => void taken.push(`acknowledged ${event}`),
			command: (name, payload) => Promise.resolve(void taken.push(`command ${name} ${payload}`)),
			stream: (id, payload) => void taken.push(`stream ${id} ${payload}`),
		},
	});
	return {taken, send: (topic: string, payload: Buffer | string) => route({topic, payload: Buffer.from(payload)})};
};

test('each topic goes to who takes it, and no other', async (t) => {
	const {taken, send} = createRouter();
	await send(`sv/1/${testBox}/desired`, 'a');
	await send(`sv/1/${testBox}/acknowledged`, '{"version":1,"epoch":"e","event":3}');
	await send(`sv/1/${testBox}/command/ping`, 'b');
	await send(`sv/1/${testBox}/stream/s-1/in`, 'c');
	for (const topic of ['desired/x', 'command', 'command/a/b', 'stream/s-1', 'stream/s-1/out', 'presence', '']) {
		await send(`sv/1/${testBox}/${topic}`, 'no');
	}
	await send('sv/1/stb-0002/desired', 'no');
	await send(`sv/2/${testBox}/desired`, 'no');
	await send('', 'no');
	t.deepEqual(taken, ['desired a', 'acknowledged 3', 'command ping b', 'stream s-1 c']);
});

test('what is too large, not UTF-8 or not an acknowledgement reaches nobody', async (t) => {
	const {taken, send} = createRouter();
	await send(`sv/1/${testBox}/desired`, 'x'.repeat(payloadBytesMax + 1));
	await send(`sv/1/${testBox}/desired`, Buffer.from([0xff, 0xfe, 0x00]));
	const bad = fc.oneof(fc.string({unit: 'binary'}), fc.json(), fc.constant('{"version":1,"epoch":"","event":-1}'));
	await fc.assert(fc.asyncProperty(bad, (payload) => send(`sv/1/${testBox}/acknowledged`, payload)));
	t.deepEqual(taken, []);
});

test('a box outlives whatever the broker sends it', async (t) => {
	const {startServer, startLink, signer} = await withFleetLink(t);
	const server = await startServer();
	const link = await startLink();
	await eventually('connected', () => link.isConnected());
	const frames: string[] = [];
	link.openChannel('stream-01', (frame) => frames.push(frame.kind));
	const rubbish = [
		...['', '{', 'null', '[]', '{"version":1}', '"text"', `${'['.repeat(50_000)}`],
		...[Buffer.from([0xff, 0x00]), Buffer.alloc(payloadBytesMax + 1, 'x'), Buffer.alloc(600_000, 'x')],
		...['{"kind":"data","sequence":-1,"text":""}', `{"kind":"data","sequence":1,"text":"${'x'.repeat(20_000)}"}`],
		...['{"version":1,"order":"a.b.c"}', '{"version":1,"keyChain":["a.b.c"],"order":"a.b.c"}', '{"__proto__":{}}'],
	];
	for (const topic of ['desired', 'acknowledged', 'command/ping', 'command/no-such', 'stream/stream-01/in', 'other']) {
		for (const payload of rubbish) {
			await server.publish(topic, payload);
		}
	}
	await server.publish('stream/stream-01/in', {kind: 'ack', sequence: 1});
	await eventually('the good frame', () => frames.length === 1);
	await server.desire(await signer.sign({kind: 'desired', config: {}}));
	await eventually('the good order', () => link.desired() !== undefined);
	link.tellEvent({kind: 'note', data: {alive: true}});
	await eventually('an event', () => server.events.some(({event}) => event.kind === 'note'));
	t.deepEqual(frames, ['ack']);
	const refused = server.events.filter(({event}) => event.kind === 'order-refused').length;
	t.true(refused > 5 && refused <= 60, `${refused} refusals were told`);
});

test('a stream that is not there is closed, and frames flow both ways on one that is', async (t) => {
	const {startServer, startLink} = await withFleetLink(t);
	const server = await startServer();
	const link = await startLink();
	await eventually('connected', () => link.isConnected());
	await server.publish('stream/no-such-stream/in', {kind: 'data', sequence: 1, text: 'hello'});
	const heard = (topic: string) => server.heard.find((each) => each.topic === topic)?.payload;
	const closed = await eventually('a close', () => heard('stream/no-such-stream/out'));
	t.like(JSON.parse(closed), {kind: 'close', reason: {code: 'MQTT_STREAM_UNKNOWN'}});
	const channel = link.openChannel('stream-01', (frame) => channel.send(frame));
	await server.publish('stream/stream-01/in', {kind: 'data', sequence: 1, text: 'echo'});
	t.is(await eventually('an echo', () => heard('stream/stream-01/out')), '{"kind":"data","sequence":1,"text":"echo"}');
	channel[Symbol.dispose]();
	await server.publish('stream/stream-01/in', {kind: 'data', sequence: 2, text: 'x'});
	await eventually('a close', () => server.heard.filter(({payload}) => payload.includes('UNKNOWN')).length === 2);
});
