import test from 'ava';
import fc from 'fast-check';
import {payloadBytesMax} from '#appliance/contract/fleet/topic.ts';
import {parseIncoming} from '#ota/fleet/ingest/parse-incoming.ts';
import {sampleEvent, sampleReported, sampleTelemetry} from '#test/helper/sample-box.ts';

const message = (topic: string, payload: unknown) => ({topic, payload: Buffer.from(JSON.stringify(payload))});

test('what a box says is parsed by its topic', (t) => {
	t.is(parseIncoming(message('sv/1/box-1/telemetry', sampleTelemetry(1)))?.kind, 'telemetry');
	t.is(parseIncoming(message('sv/1/box-1/reported', sampleReported('box-1')))?.kind, 'reported');
});

test('a topic that is no box’s is nobody’s', (t) => {
	for (const topic of ['sv/1/box-1/desired', 'sv/1/BOX/event', 'sv/2/box-1/event', 'x', 'sv/1/box-1/event/more']) {
		t.is(parseIncoming(message(topic, {})), undefined);
	}
});

test('a report that names another box is malformed', (t) => {
	t.like(parseIncoming(message('sv/1/box-2/reported', sampleReported('box-1'))), {kind: 'malformed', box: 'box-2'});
});

test('a malformed record still tells its place, so that its box can forget it', (t) => {
	t.like(parseIncoming(message('sv/1/box-1/event', {epoch: 'e', sequence: 7, after: 6, event: 'none'})), {
		kind: 'malformed',
		place: {topic: 'event', epoch: 'e', sequence: 7, after: 6},
	});
});

test('a NUL in a text is replaced', (t) => {
	const event = sampleEvent(1, {kind: 'order-refused', data: {code: 'A', message: 'a\0b\\u0000'}});
	const parsed = parseIncoming(message('sv/1/box-1/event', event));
	t.like(parsed, {kind: 'event', event: {event: {data: {message: 'a\ufffdb\\u0000'}}}});
});

test('whatever bytes come, nothing is thrown', (t) => {
	const topics = ['presence', 'reported', 'telemetry', 'event', 'reply'].map((name) => `sv/1/box-1/${name}`);
	fc.assert(
		fc.property(fc.constantFrom(...topics), fc.oneof(fc.uint8Array(), fc.json().map(Buffer.from)), (topic, payload) => {
			t.is(parseIncoming({topic, payload})?.kind, 'malformed');
		}),
	);
	t.is(parseIncoming({topic: 'sv/1/box-1/event', payload: Buffer.alloc(payloadBytesMax + 1, 32)})?.kind, 'malformed');
});

test('what is nested without end is malformed, and still tells its place', (t) => {
	for (const depth of [40, 5000, 100_000]) {
		const deep = `${'['.repeat(depth)}${']'.repeat(depth)}`;
		const reply = `{"version":1,"id":"x","state":"done","atMs":1,"result":${deep}}`;
		t.is(parseIncoming({topic: 'sv/1/box-1/reply', payload: Buffer.from(reply)})?.kind, 'malformed');
		const place = {epoch: 'e', sequence: 1, after: 0};
		const head = JSON.stringify({version: 1, ...place, atMs: 1, severity: 'info'}).slice(0, -1);
		const event = `${head},"event":{"kind":"note","data":{"x":${deep}}}}`;
		t.like(parseIncoming({topic: 'sv/1/box-1/event', payload: Buffer.from(event)}), {kind: 'malformed', place});
	}
});
