import {Readable} from 'node:stream';
import {finished} from 'node:stream/promises';
import test from 'ava';
import {createLogger} from '#appliance/log/logger.ts';
import {createChildOutput} from '#appliance/supervisor/child-output.ts';

const collect = async (chunks: readonly string[], nowMs: () => number = () => 0) => {
	const lines: string[] = [];
	const logger = createLogger({name: 'test'}, {write: (line) => lines.push(line)});
	const output = createChildOutput(logger, nowMs);
	const stream = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
	output.read(stream, 'stdout');
	await finished(stream);
	return {output, logged: lines.map((line) => JSON.parse(line) as {line?: string; droppedLines?: number})};
};

test('lines come out whole however they arrive', async (t) => {
	const {logged} = await collect(['one\ntw', 'o\n\nthr', 'ee']);
	t.deepEqual(
		logged.map(({line}) => line),
		['one', 'two', 'three'],
	);
});

test('a line without an end is cut, and memory stays bounded', async (t) => {
	const {output} = await collect(Array.from({length: 200}, () => 'x'.repeat(10_000)));
	t.true(output.tail().every((line) => line.length <= 2000));
	t.true(output.tail().length <= 20);
});

test('more lines than the log takes are counted, and told in the next second', async (t) => {
	let nowMs = 0;
	const chunks = [...Array.from({length: 1000}, (_, index) => `line ${index}\n`), 'later\n'];
	const {logged, output} = await collect(chunks, () => {
		// The clock is read once a line; the last line comes a second later.
		nowMs += 1;
		return nowMs > 1000 ? 5000 : 0;
	});
	t.true(logged.length < 60);
	t.true(logged.some(({droppedLines}) => droppedLines !== undefined && droppedLines > 900));
	t.is(output.tail().at(-1), 'later');
});
