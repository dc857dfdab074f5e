import {join} from 'node:path';
import test from 'ava';
import type {UpdateOrder} from '#appliance/contract/fleet/order-schema.ts';
import type {ConfirmCheck} from '#ota/agent/check/run-checks.ts';
import {readBootRecord} from '#ota/slot/directory/boot-record.ts';
import {eventually} from '#test/helper/eventually.ts';
import {type Step, type UpdateBoxOptions, type UpdateOutcome, withUpdateBox} from '#test/helper/with-update-box.ts';

type Wanted = Partial<Pick<UpdateOutcome, 'phase' | 'code' | 'slot' | 'reboots' | 'boots'>>;
type Case = {
	readonly box?: (onStep: NonNullable<UpdateBoxOptions['onStep']>) => UpdateBoxOptions;
	readonly order?: Partial<Record<keyof UpdateOrder, unknown>>;
	readonly wanted: Wanted;
};

const good: Wanted = {phase: 'confirmed', code: undefined, slot: 'slot-b', reboots: 1};
const failing = (message: string): ConfirmCheck => ({
	name: 'picture',
	weight: 'must',
	graceMs: 20,
	check: async () => await Promise.reject(new Error(message)),
});
const hanging: ConfirmCheck = {
	name: 'role',
	weight: 'must',
	graceMs: 60_000,
	check: async () => await new Promise(() => undefined),
};
const onNew =
	(...checks: readonly ConfirmCheck[]): NonNullable<UpdateBoxOptions['checks']> =>
	(slot) =>
		slot === 'slot-b' ? checks : [];

/** Does something at the n-th time (or at each) of a step. */
const at = (
	step: Step,
	what: 'error' | 'hang' | 'kill' | 'power',
	{times = 1, from = 1, when = 'before' as const} = {},
): UpdateBoxOptions['onStep'] => {
	let count = 0;
	return (now, box) => {
		if (now.step !== step || now.when !== when || box.agent() === undefined) {
			return undefined;
		}
		count += 1;
		if (count < from || count >= from + times) {
			return undefined;
		}
		switch (what) {
			case 'error':
				throw new Error(`${step} does not work`);
			case 'hang':
				return 'hang';
			case 'kill':
				return box.killAgent();
			case 'power':
				return box.cutPower();
		}
	};
};
const step = (...args: Parameters<typeof at>): UpdateBoxOptions => {
	const onStep = at(...args);
	return onStep === undefined ? {} : {onStep};
};
const both = (one: UpdateBoxOptions, other: UpdateBoxOptions): UpdateBoxOptions => ({...one, ...other});
/** Time enough for every step but the one that is to run out of it. */
const onlyShort = (name: 'fetchMs' | 'installMs' | 'rebootMs' | 'confirmMs') => ({
	deadlines: {fetchMs: 20_000, installMs: 20_000, rebootMs: 20_000, confirmMs: 20_000, [name]: 1000},
});
const ever = {times: 1000};

const table: Record<
	string,
	{readonly box: () => UpdateBoxOptions; readonly order?: Case['order']; readonly wanted: Wanted}
> = {
	'an error while the slots are read': {box: () => step('bootVerdict', 'error'), wanted: good},
	'an error in install, once': {box: () => step('install', 'error'), wanted: good},
	'an error in install, as often as it is tried': {
		box: () => step('install', 'error', ever),
		wanted: {phase: 'failed', code: 'OTA_FAILED_INSTALL', slot: 'slot-a', reboots: 0},
	},
	'an error in the middle of install': {box: () => step('install-entry', 'error'), wanted: good},
	'an error before the new slot is made next': {box: () => step('install-activate', 'error'), wanted: good},
	'an error in the boot record': {box: () => step('record-rename', 'error'), wanted: good},
	'an error in reboot, once': {box: () => step('reboot', 'error'), wanted: good},
	'an error in reboot, always': {
		box: () => step('reboot', 'error', ever),
		wanted: {phase: 'failed', code: 'OTA_FAILED_REBOOT', slot: 'slot-a', reboots: 0},
	},
	'an error in mark-good, once': {box: () => step('mark-good', 'error'), wanted: good},
	'an error in mark-good, always': {
		box: () => step('mark-good', 'error', ever),
		wanted: {phase: 'rolled-back', code: 'OTA_ROLLED_BACK_MARK', slot: 'slot-a', reboots: 2},
	},
	'a check that fails': {
		box: () => ({checks: onNew(failing('black'))}),
		wanted: {phase: 'rolled-back', code: 'OTA_ROLLED_BACK_CHECKS', slot: 'slot-a', reboots: 2},
	},
	'a check that fails, and mark-bad that fails as well: the boot loader’s count is the way out': {
		box: () => both({checks: onNew(failing('black'))}, step('mark-bad', 'error', ever)),
		wanted: {phase: 'rolled-back', code: 'OTA_ROLLED_BACK_CHECKS', slot: 'slot-a', reboots: 4},
	},
	'a check that hangs': {
		box: () => ({checks: onNew(hanging)}),
		order: onlyShort('confirmMs'),
		wanted: {phase: 'rolled-back', code: 'OTA_ROLLED_BACK_CHECKS', slot: 'slot-a', reboots: 2},
	},
	'a check that passes in the end': {
		box: () => {
			let asked = 0;
			const check = async (): Promise<void> => {
				asked += 1;
				await (asked < 2 ? Promise.reject(new Error('not yet')) : Promise.resolve());
			};
			return {checks: onNew({name: 'role', weight: 'must', graceMs: 5000, check})};
		},
		wanted: good,
	},
	'an optional check that fails': {
		box: () => ({checks: onNew({...failing('no cloud'), weight: 'optional'})}),
		wanted: good,
	},
	'an install that hangs': {
		box: () => step('install', 'hang'),
		order: onlyShort('installMs'),
		wanted: {phase: 'failed', code: 'OTA_FAILED_INSTALL_DEADLINE', slot: 'slot-a', reboots: 0},
	},
	'an install that hangs in its middle': {
		box: () => step('install-digest', 'hang'),
		order: onlyShort('installMs'),
		wanted: {phase: 'failed', code: 'OTA_FAILED_INSTALL_DEADLINE', slot: 'slot-a', reboots: 0},
	},
	'a reboot that hangs once': {box: () => step('reboot', 'hang'), order: onlyShort('rebootMs'), wanted: good},
	'a cancel that hangs': {
		box: () => {
			const [install, cancel] = [at('install', 'error', ever), at('cancel', 'hang', {times: 5})];
			return {onStep: (now, box) => install?.(now, box) ?? cancel?.(now, box)};
		},
		order: {...onlyShort('installMs'), attemptsMax: 1},
		wanted: {phase: 'failed', code: 'OTA_FAILED_INSTALL', slot: 'slot-a', reboots: 0},
	},
	'an agent that is killed in install over and over': {
		box: () => step('install-entry', 'kill', ever),
		wanted: {phase: 'failed', code: 'OTA_FAILED_INTERRUPTED', slot: 'slot-a', reboots: 0},
	},
	'a power cut in install over and over': {
		box: () => step('install-digest', 'power', ever),
		wanted: {phase: 'failed', code: 'OTA_FAILED_INTERRUPTED', slot: 'slot-a', reboots: 0},
	},
	'an agent that is killed before it reboots over and over': {
		box: () => step('reboot', 'kill', ever),
		wanted: {phase: 'failed', code: 'OTA_FAILED_RESTART_LOOP', slot: 'slot-a', reboots: 0},
	},
	'a box that reboots by itself before its checks have passed, over and over': {
		box: () => step('mark-good', 'power', ever),
		wanted: {phase: 'rolled-back', slot: 'slot-a', code: 'OTA_ROLLED_BACK_BOOTLOADER'},
	},
	'a new slot whose software dies before the agent starts': {
		box: () => ({diesAtStart: (slot) => slot === 'slot-b'}),
		wanted: {phase: 'rolled-back', code: 'OTA_ROLLED_BACK_BOOTLOADER', slot: 'slot-a', reboots: 1, boots: 5},
	},
	'a new slot whose software dies at its first start only': {
		box: () => {
			let died = false;
			return {
				diesAtStart: (slot) => {
					const dies = slot === 'slot-b' && !died;
					died ||= dies;
					return dies;
				},
			};
		},
		wanted: {...good, boots: 3},
	},
	'a state that cannot be written from the start': {
		box: () => step('store-state', 'error', ever),
		wanted: {phase: 'refused', code: 'OTA_REFUSED_STORE', slot: 'slot-a', reboots: 0},
	},
	'a state that cannot be written any more once it is fetched': {
		box: () => step('store-state', 'error', {from: 4, ...ever}),
		wanted: {phase: 'failed', code: 'OTA_FAILED_STORE', slot: 'slot-a', reboots: 0},
	},
	'a state that cannot be written any more once it installs': {
		box: () => step('store-state', 'error', {from: 6, ...ever}),
		wanted: {phase: 'failed', code: 'OTA_FAILED_STORE', slot: 'slot-a', reboots: 0},
	},
	'a state that cannot be written for the new slot’s verdict': {
		box: () => step('store-state', 'error', {from: 8, times: 1}),
		wanted: {phase: 'rolled-back', slot: 'slot-a', reboots: 2},
	},
	'a release that runs already': {
		box: () => ({release: '2.0.0'}),
		wanted: {phase: 'confirmed', slot: 'slot-a', reboots: 0},
	},
	'a release that runs already, and badly': {
		box: () => ({release: '2.0.0', checks: () => [failing('black')]}),
		wanted: {phase: 'failed', code: 'OTA_FAILED_CHECKS', slot: 'slot-a', reboots: 0},
	},
	'an older release': {
		box: () => ({release: '2.0.1'}),
		wanted: {phase: 'refused', code: 'OTA_REFUSED_DOWNGRADE', slot: 'slot-a', reboots: 0},
	},
	'an older release that is meant': {box: () => ({release: '2.0.1'}), order: {allowDowngrade: true}, wanted: good},
	'a release for another kind': {
		box: () => ({}),
		order: {kind: 'headend'},
		wanted: {phase: 'refused', code: 'OTA_REFUSED_WRONG_KIND'},
	},
	'a stranger’s signature': {
		box: () => ({}),
		order: {signature: 'YmFk'},
		wanted: {phase: 'refused', code: 'OTA_REFUSED_SIGNATURE', slot: 'slot-a', reboots: 0},
	},
	'an object that the carousel does not have': {
		box: () => ({}),
		order: {sources: [{kind: 'carousel', objectUri: 'http://dvb.gw/op/x', waitMs: 0}], attemptsMax: 2},
		wanted: {phase: 'failed', code: 'OTA_FAILED_FETCH', slot: 'slot-a', reboots: 0},
	},
	'no time to fetch': {
		box: () => ({}),
		order: {
			sources: [{kind: 'carousel', objectUri: 'http://dvb.gw/op/x', waitMs: 604_800_000}],
			...onlyShort('fetchMs'),
		},
		wanted: {phase: 'failed', code: 'OTA_FAILED_FETCH_DEADLINE', slot: 'slot-a', reboots: 0},
	},
};

for (const [what, {box: options, order, wanted}] of Object.entries(table)) {
	test(`an update ends as it must with ${what}`, async (t) => {
		const box = await withUpdateBox(t, options());
		if (what.startsWith('an object') || what.startsWith('no time')) {
			box.serve.held = undefined;
		}
		const outcome = await box.run(box.makeOrder({order: order ?? {}}));
		t.like(outcome, wanted, `${outcome.status.reason?.message} after ${box.told.map(({phase}) => phase).join(' ')}`);
		t.is(outcome.release, outcome.slot === 'slot-b' ? '2.0.0' : (options().release ?? '1.0.0'));
	});
}

for (const phase of ['accepted', 'fetching', 'verified', 'installing', 'rebooting'] as const) {
	test(`an order that vanishes while ${phase} is aborted, and the old slot stays`, async (t) => {
		const box = await withUpdateBox(t, {
			onTell: (status, {agent}) => {
				if (status.phase === phase) {
					queueMicrotask(() => agent()?.assign(undefined));
				}
			},
			...(phase === 'rebooting' ? step('reboot', 'hang') : {}),
		});
		const order = {...(phase === 'accepted' ? {notBeforeMs: Date.now() + 60_000} : {})};
		const outcome = await box.run(box.makeOrder({order}));
		t.like(outcome, {phase: 'failed', code: 'OTA_FAILED_ABORTED', slot: 'slot-a', reboots: 0});
	});
}

test('a slot is taken back also where nobody can write that down, and where it does not work at first', async (t) => {
	const [store, cancel] = [at('store-state', 'error', {from: 6, ...ever}), at('cancel', 'error', {times: 2})];
	const box = await withUpdateBox(t, {onStep: (now, it) => store?.(now, it) ?? cancel?.(now, it)});
	t.like(await box.run(), {phase: 'failed', code: 'OTA_FAILED_STORE'});
	t.is((await readBootRecord(join(box.root, 'slots'))).primary, 'slot-a');
});

test('an order that vanishes once the new slot runs does not turn the box back', async (t) => {
	const box = await withUpdateBox(t, {
		onTell: (status, {agent}) => {
			if (status.phase === 'confirming') {
				queueMicrotask(() => agent()?.assign(undefined));
			}
		},
	});
	t.like(await box.run(), {...good});
});

test('the same order again changes nothing; taken back and given anew it is a new one', async (t) => {
	const box = await withUpdateBox(t, {checks: onNew(failing('black'))});
	t.like(await box.run(), {phase: 'rolled-back', reboots: 2});
	const told = box.told.length;
	let [agentSeen, again] = [false, 0];
	void box.run(box.order, {bootsMax: 1}).catch(() => undefined);
	await eventually('the agent', () => box.agent() !== undefined);
	agentSeen = true;
	box.agent()?.assign(box.order);
	box.agent()?.assign(box.order);
	t.true(agentSeen);
	t.is(box.told.length, told);
	box.agent()?.assign(undefined);
	box.agent()?.assign(box.order);
	await eventually('it begins anew', () => {
		again = box.told.length;
		return again > told && box.told.at(-1)?.phase !== 'rolled-back';
	});
});
