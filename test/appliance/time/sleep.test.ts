import test from 'ava';
import {sleep} from '#appliance/time/sleep.ts';

test('a wait that is aborted rejects at once with the signal’s reason', async (t) => {
	const reason = new Error('no longer wanted');
	const controller = new AbortController();
	const waiting = sleep(600_000, {signal: controller.signal});
	controller.abort(reason);
	t.is(await t.throwsAsync(waiting), reason);
	t.is(await t.throwsAsync(sleep(1, {signal: controller.signal})), reason);
});

test('a wait lasts at least as long as asked', async (t) => {
	const startMs = performance.now();
	await sleep(20);
	t.true(performance.now() - startMs >= 19);
});
