import test from 'ava';
import fc from 'fast-check';
import {readEventData} from '#pop-node/ingest/event-stream.ts';

async function* chunksOf(text: string, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
	const bytes = Buffer.from(text);
	const positions = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
	for (const [index, position] of positions.slice(1).entries()) {
		yield bytes.subarray(positions[index], position);
		await Promise.resolve();
	}
}

const read = async (text: string, cuts: readonly number[] = []): Promise<readonly string[]> =>
	Array.fromAsync(readEventData(chunksOf(text, cuts)));

test('events are the same however the bytes are cut, comments and ids are skipped', async (t) => {
	const text = ': hello\n\nid: 1\ndata: {"a":"ü"}\n\ndata:first\ndata: second\n\nevent: x\n\nid: 2\ndata: last\n\n';
	await fc.assert(
		fc.asyncProperty(fc.array(fc.nat(200), {maxLength: 12}), async (cuts) => {
			t.deepEqual(await read(text, cuts), ['{"a":"ü"}', 'first\nsecond', 'last']);
		}),
		{seed: 1, numRuns: 50},
	);
});

test('an event without its end is no event', async (t) => {
	t.deepEqual(await read('data: half'), []);
});

test('a line or an event without end is refused, not kept', async (t) => {
	await t.throwsAsync(read(`data: ${'x'.repeat(100_000)}`), {code: 'POP_NODE_HEADEND_INVALID'});
	await t.throwsAsync(read('data: 12345678\n'.repeat(20_000)), {code: 'POP_NODE_HEADEND_INVALID'});
});
