import test from 'ava';
import fc from 'fast-check';
import type {StbStatus} from '#appliance/contract/stb-status-schema.ts';
import {createLiveView} from '#demo/view/live-view.ts';
import {bar, renderLine, renderView} from '#demo/view/render-view.ts';
import type {DemoSnapshot} from '#demo/watch/watch-boxes.ts';

const link = {
	packets: 1000,
	bytes: 1,
	lost: 20,
	faded: 30,
	duplicated: 0,
	delayed: 0,
	damaged: 0,
	failed: 0,
	injectedRatio: 0.05,
};
const snapshotWith = (uris: readonly string[]): DemoSnapshot => ({
	link,
	stb: {
		receive: {rateBps: 19_000_000, fecRecoveredBytes: 0},
		objects: {
			received: 1,
			repaired: 0,
			failed: 0,
			arriving: uris.map((uri) => ({uri, sizeBytes: 10, receivedBytes: 5, repairedBytes: 0, phase: 'receiving'})),
		},
		repair: {requests: 0, bytes: 0, latencyMs: {p50: 0, p99: 0}},
		cache: {budgetBytes: 100, bytes: 50, objects: 1, hitRatio: 1},
	} as unknown as StbStatus,
});

test('a bar is as long as it should be, whatever it shows', (t) => {
	fc.assert(
		fc.property(fc.double({noNaN: true}), fc.integer({min: 1, max: 60}), (ratio, characters) => {
			t.is(bar(ratio, characters).length, characters);
		}),
	);
	t.is(bar(0.5, 4), '██░░');
});

test('no line is wider than the terminal, and a crowd of arrivals is cut short', (t) => {
	const uris = Array.from({length: 20}, (_, index) => `http://dvb.gw/streamverse/${'long/'.repeat(20)}${index}.m4s`);
	for (const columns of [20, 60, 80, 200]) {
		const lines = renderView(snapshotWith(uris), columns);
		t.true(lines.every((line) => line.length <= columns));
		t.true(lines.length < 20);
	}
	t.regex(renderView(snapshotWith(uris), 100).join('\n'), /and 12 more/u);
});

test('boxes that do not answer are told as such', (t) => {
	t.regex(renderView({link}, 80).join('\n'), /headend +does not answer[\s\S]*set-top +does not answer/u);
	t.regex(renderLine({link}), /received \?/u);
});

test('on a terminal it redraws in place, elsewhere it writes lines sparingly', (t) => {
	const written: string[] = [];
	const write = (text: string): boolean => written.push(text) > 0;
	using terminal = createLiveView({isTTY: true, columns: 80, write} as unknown as NodeJS.WriteStream);
	terminal.show(snapshotWith([]));
	terminal.show(snapshotWith([]));
	const lines = (written[0] ?? '').split('\n').length - 1;
	t.true(written[1]?.startsWith(`\u001B[${lines}A\u001B[J`));
	written.length = 0;
	using pipe = createLiveView({isTTY: false, write} as unknown as NodeJS.WriteStream);
	pipe.show(snapshotWith([]));
	pipe.show(snapshotWith([]));
	t.is(written.length, 1);
	t.false(written.join('').includes('\u001B'));
});
