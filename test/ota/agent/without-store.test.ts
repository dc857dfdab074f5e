import {join} from 'node:path';
import test from 'ava';
import {agentLimits} from '#ota/agent/agent-limits.ts';
import {transition} from '#ota/agent/transition.ts';
import type {UpdateState} from '#ota/agent/update-state.ts';
import {withoutStore} from '#ota/agent/without-store.ts';
import {readBootRecord} from '#ota/slot/directory/boot-record.ts';
import {sampleJob} from '#test/helper/sample-update.ts';
import {withUpdateBox} from '#test/helper/with-update-box.ts';

const deadDisk = (): never => {
	throw new Error('EROFS: read-only file system');
};

const reason = {code: 'OTA_FAILED_INSTALL', message: 'no'};
const slotted = {job: sampleJob(), sinceMs: 0, fromSlot: 'slot-a'};
const states: readonly Extract<UpdateState, {fromSlot: string}>[] = [
	{kind: 'installing', ...slotted},
	{kind: 'cancelling', ...slotted, reason, retry: true, tries: 1},
	{kind: 'rebooting', ...slotted, tries: 1},
	{kind: 'committing', ...slotted, tries: 1},
	{kind: 'reverting', ...slotted, reason, tries: 1},
];

for (const before of [...states, {kind: 'confirming', ...slotted, boots: 1} as const]) {
	test(`neither slot marks the other bad where nothing can be written: ${before.kind}`, (t) => {
		for (const [restarts, bootId] of [0, 5].flatMap((count) => [
			[count, 'boot-1'] as const,
			[count, 'boot-2'] as const,
		])) {
			const effectsOn = (bootedSlot: string): readonly string[] => {
				const state = {...before, job: {...before.job, restarts}};
				const verdict = {bootedSlot, release: before.job.order.release, fallback: undefined};
				const event = {kind: 'started', verdict, bytes: before.job.bytes} as const;
				const context = {nowMs: 1, bootId, limits: agentLimits, random: () => 0};
				const next = transition(state, event, context);
				return withoutStore({before: state, event, next}, {detail: 'read-only', context}).effects.map(({kind}) => kind);
			};
			t.false(effectsOn('slot-a').includes('revert'), 'the old slot is not left');
			t.false(effectsOn('slot-b').includes('cancel'), 'the new one is not taken back from itself');
		}
	});
}

test('a new slot whose verdict cannot be written is left, and the way back stays one', async (t) => {
	const box = await withUpdateBox(t, {
		onStep: ({step, bootedSlot}) => (step === 'store-state' && bootedSlot === 'slot-b' ? deadDisk() : undefined),
	});
	t.like(await box.run(), {phase: 'rolled-back', slot: 'slot-a', release: '1.0.0', reboots: 2});
	const {primary, slots} = await readBootRecord(join(box.root, 'slots'));
	t.like(
		{primary, old: slots['slot-a'].state, new: slots['slot-b'].state},
		{primary: 'slot-a', old: 'good', new: 'bad'},
	);
});

test('a box that has fallen back, and cannot write that, says so and stays where it is', async (t) => {
	let isTried = false;
	const box = await withUpdateBox(t, {
		diesAtStart: (slot) => {
			isTried ||= slot === 'slot-b';
			return slot === 'slot-b';
		},
		onStep: ({step, bootedSlot}) =>
			step === 'store-state' && bootedSlot === 'slot-a' && isTried ? deadDisk() : undefined,
	});
	const outcome = await box.run();
	t.like(outcome, {phase: 'rolled-back', code: 'OTA_ROLLED_BACK_BOOTLOADER', slot: 'slot-a', reboots: 1});
	t.is((await readBootRecord(join(box.root, 'slots'))).slots['slot-a'].state, 'good');
});

test('a trial that the boot loader has ended does not reboot the old slot where nobody can write that', async (t) => {
	let boots = 0;
	const box = await withUpdateBox(t, {
		onStep: ({step, when, bootedSlot}, {cutPower}) => {
			if (bootedSlot === 'slot-b' && step === 'markGood' && when === 'before') {
				return cutPower();
			}
			boots += bootedSlot === 'slot-b' && step === 'bootVerdict' && when === 'before' ? 1 : 0;
			return step === 'store-state' && bootedSlot === 'slot-a' && boots > 0 ? deadDisk() : undefined;
		},
	});
	t.like(await box.run(), {phase: 'rolled-back', code: 'OTA_ROLLED_BACK_BOOTLOADER', slot: 'slot-a', reboots: 1});
});
