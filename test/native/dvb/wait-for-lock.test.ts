import test from 'ava';
import type {SignalStatistics} from '#native/dvb/tuner.ts';
import {waitForLock} from '#native/dvb/wait-for-lock.ts';

const statisticsOf = (locked: boolean): SignalStatistics => ({
	...{signal: locked, carrier: locked, code: locked, sync: locked, locked},
});
const locking = (after: number) => {
	let looks = 0;
	return {
		statistics: () => {
			looks += 1;
			return Promise.resolve(statisticsOf(looks > after));
		},
		looks: () => looks,
	};
};

test('it looks until there is a lock, and tells how long that took', async (t) => {
	const tuner = locking(3);
	const {lockMs, statistics} = await waitForLock(tuner, {timeoutMs: 60_000, signal: new AbortController().signal});
	t.true(statistics.locked);
	t.is(tuner.looks(), 4);
	t.true((lockMs ?? 0) > 0);
});

test('without a lock it ends with the time, and with an abort', async (t) => {
	const tuner = locking(Number.POSITIVE_INFINITY);
	const {lockMs, statistics} = await waitForLock(tuner, {timeoutMs: 1, signal: new AbortController().signal});
	t.is(lockMs, undefined);
	t.false(statistics.locked);
	const stop = new AbortController();
	const waiting = waitForLock(tuner, {timeoutMs: 60_000, signal: stop.signal});
	stop.abort(new Error('enough'));
	await t.throwsAsync(waiting, {message: 'enough'});
});
