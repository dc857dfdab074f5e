import test from 'ava';
import {createVersionBook} from '#headend/signalling/version-book.ts';

const clockAt = (box: {nowMs: number}) => ({nowMs: () => box.nowMs, monotonicMs: () => 0});

test('a version stands still while the content does, and grows when it changes', (t) => {
	const time = {nowMs: Date.UTC(2026, 0, 1)};
	const book = createVersionBook({clock: clockAt(time)});
	const first = book.stamp('list', 'a');
	time.nowMs += 60_000;
	t.deepEqual(book.stamp('list', 'a'), first);
	const second = book.stamp('list', 'b');
	t.is(second.version, first.version + 60);
	t.is(second.changedMs, time.nowMs);
	t.is(book.stamp('list', 'c').version, second.version + 1, 'two changes within a second are two versions');
});

test('a clock that went back does not take a version with it', (t) => {
	const time = {nowMs: Date.UTC(2026, 0, 1)};
	const book = createVersionBook({clock: clockAt(time)});
	const {version} = book.stamp('list', 'a');
	time.nowMs = 0;
	t.is(book.stamp('list', 'b').version, version + 1);
	t.is(createVersionBook({clock: clockAt(time)}).stamp('list', 'a').version, 1, 'and no version is below one');
});

test('a kept book goes on where it stopped, and a lost one still grows', (t) => {
	const time = {nowMs: Date.UTC(2026, 0, 1)};
	const book = createVersionBook({clock: clockAt(time)});
	const {version} = book.stamp('list', 'a');
	time.nowMs += 5000;
	t.is(createVersionBook({clock: clockAt(time), entries: book.entries()}).stamp('list', 'a').version, version);
	t.true(createVersionBook({clock: clockAt(time)}).stamp('list', 'a').version > version);
});
