import test from 'ava';
import {createReading} from '#native/dvb/reading.ts';

const never = new AbortController().signal;
const stats = () => ({bytes: 0, overruns: 0, dropped: 0, damaged: 0});
const open = (signal: AbortSignal = never, queueBytesMax = 100) => {
	const closings: number[] = [];
	const source = createReading({
		...{signal, queueBytesMax, stats},
		onClose: () => {
			closings.push(1);
			return undefined;
		},
	});
	return {...source, closings};
};

test('what comes is given in order, then the end', async (t) => {
	const {reading, push, end, closings} = open();
	push(Buffer.from('a'));
	const seen: string[] = [];
	setImmediate(() => {
		push(Buffer.from('b'));
		end();
	});
	for await (const item of reading) {
		seen.push(item.toString());
	}
	t.deepEqual(seen, ['a', 'b']);
	t.is(closings.length, 1);
});

test('an error is thrown after what came before it, once', async (t) => {
	const {reading, push, end} = open();
	push(Buffer.from('a'));
	end(new Error('gone'));
	t.is((await reading.next()).value?.toString(), 'a');
	await t.throwsAsync(() => reading.next(), {message: 'gone'});
	t.deepEqual(await reading.next(), {done: true, value: undefined});
});

test('an abort ends a waiting reading with its reason, at once', async (t) => {
	const stop = new AbortController();
	const {reading, push, closings} = open(stop.signal);
	const waiting = reading.next();
	stop.abort(new Error('enough'));
	push(Buffer.from('late'));
	await t.throwsAsync(waiting, {message: 'enough'});
	t.is(closings.length, 1);
	await t.throwsAsync(() => open(AbortSignal.abort(new Error('before'))).reading.next(), {message: 'before'});
});

test('who breaks off closes the source; who is slow loses what finds no room, counted', async (t) => {
	const {reading, push, closings} = open();
	push(Buffer.alloc(60));
	push(Buffer.alloc(60));
	push(Buffer.alloc(40));
	t.is(reading.stats().dropped, 60);
	for await (const item of reading) {
		t.is(item.length, 60);
		break;
	}
	t.is(closings.length, 1);
	await reading[Symbol.asyncDispose]();
	t.is(closings.length, 1);
});
