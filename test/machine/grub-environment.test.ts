import {truncateSync, writeFileSync} from 'node:fs';
import test from 'ava';
import {bootVariablesOf} from '#test/helper/box-disk.ts';
import {changeFile, environmentFiles, flipRootBit} from '#test/helper/damage-disk.ts';
import {eventually} from '#test/helper/eventually.ts';
import {publishImage, rolloutTo} from '#test/helper/machine-update.ts';
import {withApprover} from '#test/helper/with-approver.ts';
import {testImage} from '#test/helper/with-image.ts';
import {bootTimeoutMs, withMachine, withMachineFleet} from '#test/helper/with-machine.ts';

const testTimeoutMs = 55 * 60_000;
const id = 'stb-rescue';
const tenMinutesMs = 10 * 60_000;

/** The clock decides where nothing else is known: at the next full ten minutes slot A comes first. */
const clock = (): string => {
	const next = new Date(Math.ceil(Date.now() / tenMinutesMs) * tenMinutesMs);
	return `base=${next.toISOString().slice(0, 19)}`;
};

test('a box without an environment and without a sound slot comes up as the factory’s, and is flashed anew from there', async (t) => {
	t.timeout(testTimeoutMs);
	const [factory, next] = [await testImage({release: '1.0.0'}), await testImage({release: '1.0.1'})];
	const fleet = await withMachineFleet(t);
	const machine = await withMachine(t, {
		...{fleet, image: factory, id, extraArguments: ['-rtc', clock()]},
		damage: async (disk) => {
			const [first, second] = environmentFiles(disk);
			await changeFile(first, (file) => writeFileSync(file, 'no environment of GRUB'.repeat(50)));
			await changeFile(second, (file) => truncateSync(file, 100));
			flipRootBit(disk, 'A');
		},
	});
	const rescued = await machine.until(
		'the factory’s slot is healthy',
		({presence, reported}) =>
			presence === 'online' &&
			reported?.healthy === true &&
			reported.slots.some(({name, state}) => name === 'factory.0' && state === 'booted'),
		{timeoutMs: 5 * bootTimeoutMs},
	);
	t.is(rescued.release, factory.release);
	const starts = machine.lines().flatMap((line) => /^.*?boot slot ([ABR]),/u.exec(line)?.[1] ?? []);
	t.regex(starts.join(''), /^A+(?:B?R)+$/u, 'A was tried first; B, where nothing is, gives way to R in the same start');
	t.true(machine.lines().some((line) => /no try can be counted; at minute/u.test(line)));
	for (const copy of ['grubenv', 'grubenv.second'] as const) {
		// The machine may be writing it, and then the file is not whole.
		const variables = await eventually(`${copy} is whole`, () => {
			const text = bootVariablesOf(machine.diskPath, copy);
			return /^A_TRY=\d$/mu.test(text) && text;
		});
		t.regex(variables, /^A_TRY=3$/mu, `${copy} was made by the initrd, and counted in by GRUB`);
	}

	await publishImage(t, {fleet, image: next});
	const desk = await withApprover(fleet);
	const {id: rollout} = await desk.make(rolloutTo(next.release, id));
	await desk.approveAndStart(rollout);
	const {boxes} = await desk.until(
		'the box is updated, or is not',
		rollout,
		(_, [box]) => box?.state === 'done' || box?.state === 'failed',
		{timeoutMs: 6 * bootTimeoutMs},
	);
	t.like(boxes[0], {state: 'done', phase: 'confirmed', reason: null}, machine.lines().slice(-40).join('\n'));
	const updated = await machine.until('it tells what runs', ({release}) => release === next.release);
	t.regex(updated.reported?.slots.find(({state}) => state === 'booted')?.name ?? '', /^rootfs\.[01]$/u);
});
