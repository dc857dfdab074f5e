import test, {type ExecutionContext} from 'ava';
import type {ConfirmCheck} from '#ota/agent/check/run-checks.ts';
import {type UpdateOutcome, withUpdateBox} from '#test/helper/with-update-box.ts';

type Cut = 'cutPower' | 'killAgent';

/** Runs one update, cut at the n-th step that reaches the disk; answers undefined when there are fewer. */
const runCutAt = async (
	t: ExecutionContext,
	{cut, when, at, checks}: {cut: Cut; when: 'before' | 'after'; at: number; checks: readonly ConfirmCheck[]},
): Promise<{outcome: UpdateOutcome; step: string; phases: string[]} | undefined> => {
	let [steps, cutAt] = [0, ''];
	const box = await withUpdateBox(t, {
		checks: (slot) => (slot === 'slot-b' ? checks : []),
		onStep: ({step, when: now}, {[cut]: end}) => {
			// `bootSlot` at the first boot comes before there is any update.
			if (now === when && box.agent() !== undefined) {
				steps += 1;
				if (steps === at) {
					cutAt = step;
					return end();
				}
			}
			return undefined;
		},
	});
	const outcome = await box.run();
	return cutAt === '' ? undefined : {outcome, step: cutAt, phases: box.told.map(({phase}) => phase)};
};

const cuts = test.macro(async (t, {cut, when, bad}: {cut: Cut; when: 'before' | 'after'; bad: boolean}) => {
	const checks: readonly ConfirmCheck[] = bad
		? [{name: 'picture', weight: 'must', graceMs: 30, check: async () => await Promise.reject(new Error('black'))}]
		: [];
	const wanted = bad
		? {phase: 'rolled-back', code: 'OTA_ROLLED_BACK_CHECKS', slot: 'slot-a', release: '1.0.0'}
		: {phase: 'confirmed', code: undefined, slot: 'slot-b', release: '2.0.0'};
	let at = 1;
	for (; ; at++) {
		const run = await runCutAt(t, {cut, when, at, checks});
		if (run === undefined) {
			break;
		}
		const {outcome, step, phases} = run;
		const {phase, code, slot, release, reboots} = outcome;
		// A power cut while on trial may leave the count to the boot loader, whose verdict is as good.
		const told = code === 'OTA_ROLLED_BACK_BOOTLOADER' || code === 'OTA_ROLLED_BACK_UNKNOWN' ? wanted.code : code;
		t.deepEqual({phase, code: told, slot, release}, wanted, `${cut} ${when} step ${at} (${step}): ${phases.join(' ')}`);
		t.true(reboots <= (bad ? 3 : 2), `${reboots} reboots after ${cut} ${when} step ${at} (${step})`);
	}
	t.true(at > 15, `only ${at} steps`);
	t.log(`${at - 1} cuts`);
});

for (const cut of ['cutPower', 'killAgent'] as const) {
	for (const when of ['before', 'after'] as const) {
		const what = cut === 'cutPower' ? 'a loss of power' : 'a killed agent';
		test(`${what} ${when} any step does not keep a good release out`, cuts, {cut, when, bad: false});
		test(`${what} ${when} any step does not let a bad release in`, cuts, {cut, when, bad: true});
	}
}
