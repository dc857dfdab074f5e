import test from 'ava';
import {silentLogger} from '#appliance/log/logger.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {readSlots} from '#ota/member/read-slots.ts';

const slot = {name: 'rootfs.0', state: 'booted', status: 'good'} as const;
const options = {logger: silentLogger(), timeoutMs: 50, retryDelaysMs: [1, 1]};

/** It is silent for so many questions. */
const slowInstaller = (silent: number) => {
	let asked = 0;
	return {
		asked: () => asked,
		slots: async ({signal}: {readonly signal: AbortSignal}) => {
			asked += 1;
			if (asked <= silent) {
				await sleep(60_000, {signal});
			}
			return [slot];
		},
	};
};

test('a daemon that is slow to come up is asked again', async (t) => {
	const installer = slowInstaller(2);
	t.deepEqual(await readSlots(installer, {...options, signal: new AbortController().signal}), [slot]);
	t.is(installer.asked(), 3);
});

test('one that stays silent is given up, with what it met', async (t) => {
	const installer = slowInstaller(Number.POSITIVE_INFINITY);
	const reading = readSlots(installer, {...options, signal: new AbortController().signal});
	await t.throwsAsync(reading, {name: 'TimeoutError'});
	t.is(installer.asked(), 3);
});

test('an order to stop ends the asking', async (t) => {
	const stop = new AbortController();
	const installer = slowInstaller(Number.POSITIVE_INFINITY);
	const reading = readSlots(installer, {...options, timeoutMs: 60_000, signal: stop.signal});
	stop.abort(new DOMException('stopped', 'AbortError'));
	await t.throwsAsync(reading, {name: 'AbortError'});
	t.is(installer.asked(), 1);
});
