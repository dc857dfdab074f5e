import test from 'ava';
import {eventually} from '#test/helper/eventually.ts';
import {faultImage} from '#test/helper/fault-image.ts';
import {publishImage, rolloutTo} from '#test/helper/machine-update.ts';
import {withApprover} from '#test/helper/with-approver.ts';
import {testImage} from '#test/helper/with-image.ts';
import {bootTimeoutMs, withMachine, withMachineFleet} from '#test/helper/with-machine.ts';

const testTimeoutMs = 60 * 60_000;
/** Fetching, installing, booting and proving itself. */
const updateTimeoutMs = 6 * bootTimeoutMs;
const id = 'stb-update';

test('a release goes from the fleet into the other slot of a machine, and is confirmed there', async (t) => {
	t.timeout(testTimeoutMs);
	// Of the second the bad releases are made as well; it is sound unless it is told otherwise.
	const [factory, next] = [await testImage({release: '1.0.0'}), await faultImage('1.0.1')];
	const fleet = await withMachineFleet(t);
	const startedMs = performance.now();
	const log = (what: string): void => t.log(`${what} after ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
	const machine = await withMachine(t, {fleet, image: factory, id});
	await machine.until('it is online', ({presence, reported}) => presence === 'online' && reported?.healthy === true);
	log('in its fleet');
	await publishImage(t, {fleet, image: next});
	const desk = await withApprover(fleet);
	const {id: rollout} = await desk.make(rolloutTo(next.release, id));
	await desk.approveAndStart(rollout);
	let phase = '';
	const {boxes} = await desk.until(
		'the box is updated, or is not',
		rollout,
		(_, [box]) => {
			if ((box?.phase ?? '') !== phase) {
				phase = box?.phase ?? '';
				log(phase);
			}
			return box?.state === 'done' || box?.state === 'failed';
		},
		{timeoutMs: updateTimeoutMs},
	);
	t.like(boxes[0], {state: 'done', phase: 'confirmed', reason: null}, machine.lines().slice(-40).join('\n'));
	await desk.until('the rollout knows that it is through', rollout, ({state}) => state === 'finished');
	const box = await machine.until('it tells what runs, and that it stays', ({release, reported}) => {
		const booted = reported?.slots.find(({state}) => state === 'booted');
		return release === next.release && booted?.status === 'good';
	});
	const [booted] = box.reported?.slots.filter(({state}) => state === 'booted') ?? [];
	t.like(booted, {name: 'rootfs.1', release: next.release});
	const variables = await eventually(
		'both slots can be booted, the new one first',
		() => {
			// Read once: the file is not whole while it is written, and a second reading may meet that.
			const text = machine.bootVariables();
			return /^B_TRY=0$/mu.test(text) && text;
		},
		{timeoutMs: bootTimeoutMs, intervalMs: 1000},
	);
	for (const line of [/^ORDER=B A(?: R)?$/mu, /^A_OK=1$/mu, /^A_TRY=0$/mu, /^B_OK=1$/mu]) {
		t.regex(variables, line);
	}
});
