import test from 'ava';
import {eventually} from '#test/helper/eventually.ts';
import {testImage} from '#test/helper/with-image.ts';
import {bootTimeoutMs, withMachine, withMachineFleet} from '#test/helper/with-machine.ts';

const testTimeoutMs = 30 * 60_000;

test('an image boots by its signed path, takes its seed, joins its fleet and serves its page', async (t) => {
	t.timeout(testTimeoutMs);
	const image = await testImage({release: '1.0.0'});
	const fleet = await withMachineFleet(t);
	const startedMs = performance.now();
	const machine = await withMachine(t, {fleet, image, id: 'stb-machine'});
	const page = await eventually(
		'the page of the role',
		async () => {
			const response = await fetch(machine.url, {signal: AbortSignal.timeout(2000)});
			return response.status === 200 && (await response.text());
		},
		{timeoutMs: bootTimeoutMs, intervalMs: 500},
	).catch((cause: unknown) => {
		throw new Error(`no page:\n${machine.lines().slice(-40).join('\n')}`, {cause});
	});
	t.regex(page, /StreamVerse/u);
	t.log(`served after ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
	const {release, reported} = await machine.until('it is online and healthy', ({presence, reported: told}) => {
		return presence === 'online' && told?.healthy === true && told.slots.length > 0;
	});
	t.log(`in its fleet after ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
	t.is(release, image.release);
	t.is(reported?.slots.find(({state}) => state === 'booted')?.name, 'rootfs.0', 'slot A');
	t.like(
		reported?.services.find(({name}) => name === 'stb'),
		{state: 'running', crashLoop: false},
	);
	await eventually('the try of this boot given back', () => /^A_TRY=0$/mu.test(machine.bootVariables()), {
		timeoutMs: bootTimeoutMs,
		intervalMs: 1000,
	});
});
