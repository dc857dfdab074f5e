import {readFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {type StreamFrame, windowCharsMax} from '#appliance/contract/fleet/stream-schema.ts';
import type {StreamMessage} from '#ota/contract/diagnostics-api.ts';
import {BridgedStream, type StreamPage} from '#ota/fleet/diagnostics/bridged-stream.ts';
import {diagnosticsLimits} from '#ota/fleet/diagnostics/diagnostics-limits.ts';
import {createDiskItems} from '#ota/fleet/diagnostics/disk-items.ts';
import {StreamRecording} from '#ota/fleet/diagnostics/stream-recording.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const limits = {...diagnosticsLimits, resumeMs: 1000, openTimeoutMs: 500, keepAliveMs: 200};

const withBridge = async (t: ExecutionContext, {bytesMax = 100_000}: {readonly bytesMax?: number} = {}) => {
	let nowMs = 0;
	const toBox: StreamFrame[] = [];
	const ended: string[] = [];
	const directory = await withDirectory(t);
	const filePath = path.join(directory, 'recording');
	const recording = StreamRecording.create(
		await createDiskItems({directory}).record('recording'),
		{columns: 80, rows: 24, startedMs: 0, title: 'test'},
		bytesMax,
	);
	const stream = new BridgedStream({
		...{box: deviceIdSchema.parse('box-1'), streamId: 'stream-1', token: 'token', recording, limits},
		broker: {publish: (_topic, payload) => Promise.resolve(void toBox.push(JSON.parse(String(payload))))},
		clock: {nowMs: () => nowMs, monotonicMs: () => nowMs},
		onEnded: ({code}) => ended.push(code),
	});
	const page = (after = 0) => {
		const seen: StreamMessage[] = [];
		let open = true;
		const own: StreamPage = {send: (message) => seen.push(message), close: () => (open = false)};
		stream.attach(own, after);
		return {
			own,
			seen,
			isOpen: () => open,
			texts: () => seen.flatMap((each) => (each.kind === 'data' ? each.text : [])),
		};
	};
	return {
		...{stream, toBox, ended, page},
		fromBox: (frame: unknown) => stream.fromBox(Buffer.from(JSON.stringify(frame))),
		fromPage: (frame: unknown) => stream.fromPage(JSON.stringify(frame)),
		turn: (byMs: number) => {
			nowMs += byMs;
			stream.tick();
		},
		recorded: async () => {
			await recording[Symbol.asyncDispose]();
			return (await readFile(filePath, 'utf8'))
				.trim()
				.split('\n')
				.map((line) => JSON.parse(line));
		},
	};
};

const data = (sequence: number, text = `<${sequence}>`): StreamFrame => ({kind: 'data', sequence, text});

test('a page that comes back continues where it was, and all is recorded once', async (t) => {
	const {stream, toBox, page, fromBox, fromPage, recorded} = await withBridge(t);
	const first = page();
	fromBox(data(1));
	fromBox(data(2));
	fromPage(data(1, 'typed'));
	stream.detach(first.own);
	fromBox(data(3));
	const second = page(1);
	t.like(second.seen[0], {kind: 'opened', acknowledged: 0});
	t.deepEqual(toBox.at(-1), {kind: 'resume', after: 1});
	fromBox(data(2));
	fromBox(data(3));
	fromBox(data(3));
	fromPage(data(1, 'typed'));
	t.deepEqual(second.texts(), ['<2>', '<3>']);
	t.deepEqual(first.texts(), ['<1>', '<2>']);
	const [header, ...lines] = await recorded();
	t.like(header, {version: 2, width: 80, height: 24});
	t.deepEqual(
		lines.map(([, kind, text]) => [kind, text]),
		[
			['o', '<1>'],
			['o', '<2>'],
			['i', 'typed'],
			['o', '<3>'],
		],
	);
});

test('what the broker lost is asked for again, once', async (t) => {
	const {stream, toBox, page, fromBox} = await withBridge(t);
	const {texts} = page();
	fromBox(data(1));
	toBox.length = 0;
	fromBox(data(3));
	fromBox(data(4));
	t.deepEqual(toBox, [{kind: 'resume', after: 1}]);
	for (const sequence of [2, 3, 4]) {
		fromBox(data(sequence));
	}
	t.deepEqual(texts(), ['<1>', '<2>', '<3>', '<4>']);
	stream.onBroker();
	t.deepEqual(toBox.at(-1), {kind: 'resume', after: 4});
});

test('who does not come back in time finds the stream ended, and the box is told', async (t) => {
	const {stream, toBox, ended, page, fromBox, turn} = await withBridge(t);
	const {own} = page();
	fromBox(data(1));
	stream.detach(own);
	turn(900);
	t.deepEqual(ended, []);
	fromBox({kind: 'ack', sequence: 0});
	turn(200);
	t.deepEqual(ended, ['OTA_STREAM_ENDED']);
	t.like(toBox.at(-1), {kind: 'close'});
	fromBox(data(2));
	turn(5000);
	t.is(ended.length, 1);
});

test('a box that never answers, and one that falls silent, end it; a page keeps it alive', async (t) => {
	const never = await withBridge(t);
	never.page();
	never.turn(600);
	t.deepEqual(never.ended, ['OTA_STREAM_BOX_SILENT']);
	const silent = await withBridge(t);
	const {seen, isOpen} = silent.page();
	silent.fromBox({kind: 'ack', sequence: 0});
	silent.turn(300);
	t.like(silent.toBox.at(-1), {kind: 'ack'});
	silent.turn(800);
	t.deepEqual(silent.ended, ['OTA_STREAM_BOX_SILENT']);
	t.like(seen.at(-1), {kind: 'close'});
	t.false(isOpen());
});

test('a page that floods the box, or speaks nonsense, is cut; nonsense of a box is passed over', async (t) => {
	const flood = await withBridge(t);
	flood.page();
	flood.fromBox({kind: 'ack', sequence: 0});
	for (let sequence = 1; sequence < 100; sequence += 1) {
		flood.fromPage(data(sequence, 'x'.repeat(16_000)));
	}
	t.deepEqual(flood.ended, ['OTA_STREAM_PROTOCOL']);
	const sent = flood.toBox.flatMap((frame) => (frame.kind === 'data' ? frame.text.length : []));
	t.true(sent.reduce((sum, chars) => sum + chars, 0) <= windowCharsMax);
	for (const nonsense of ['', 'x', '[]', '{"kind":"data"}', '{"kind":"data","sequence":0,"text":""}']) {
		const {stream, ended, page, fromBox} = await withBridge(t);
		const {texts} = page();
		stream.fromBox(Buffer.from(nonsense));
		fromBox(data(1));
		t.deepEqual([texts(), ended], [['<1>'], []]);
		stream.fromPage(nonsense);
		t.deepEqual(ended, ['OTA_STREAM_PROTOCOL'], nonsense);
	}
});

test('a stream whose recording is full ends: nothing is done unseen', async (t) => {
	const {ended, page, fromBox, turn} = await withBridge(t, {bytesMax: 2000});
	page();
	for (let sequence = 1; sequence < 200; sequence += 1) {
		fromBox(data(sequence, 'y'.repeat(50)));
	}
	turn(10);
	t.deepEqual(ended, ['OTA_STREAM_RECORDING_FULL']);
});

test('what is typed before the box has opened the stream reaches it afterwards, in order', async (t) => {
	const {toBox, page, fromBox, fromPage, turn, stream} = await withBridge(t);
	page();
	fromPage(data(1));
	fromPage({kind: 'resize', columns: 100, rows: 40});
	fromPage(data(2));
	stream.onBroker();
	turn(limits.keepAliveMs);
	t.deepEqual(toBox, []);
	fromBox({kind: 'ack', sequence: 0});
	t.deepEqual(toBox, [data(1), {kind: 'resize', columns: 100, rows: 40}, data(2)]);
	fromPage(data(3));
	t.deepEqual(toBox.at(-1), data(3));
});

test('a page that says endlessly much before the box answers is cut', async (t) => {
	const {page, fromPage, ended, toBox} = await withBridge(t);
	const {seen} = page();
	for (let count = 0; count <= windowCharsMax && ended.length === 0; count += 1) {
		fromPage({kind: 'resize', columns: 100, rows: 40});
	}
	t.deepEqual(ended, ['OTA_STREAM_PROTOCOL']);
	t.is(seen.at(-1)?.kind, 'close');
	t.deepEqual(
		toBox.map(({kind}) => kind),
		['close'],
	);
});

test('a box that refuses the stream is told nothing of what was typed for it', async (t) => {
	const {page, fromPage, fromBox, ended, toBox} = await withBridge(t);
	page();
	fromPage(data(1));
	fromBox({kind: 'close', reason: {code: 'OTA_MEMBER_TERMINAL_OFF', message: 'No terminal.'}});
	t.deepEqual(ended, ['OTA_MEMBER_TERMINAL_OFF']);
	t.deepEqual(toBox, []);
});
