import {randomInt} from 'node:crypto';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {RolloutCreate} from '#ota/contract/rollout-api.ts';
import {readReleaseDirectory} from '#ota/release/create-release.ts';
import {publishRelease} from '#ota/release/publish-release.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withApprover} from '#test/helper/with-approver.ts';
import {type TestFleet, withFleet} from '#test/helper/with-fleet.ts';
import {claimOf, type SlotBox, type SlotWorkshop, withSlotBox, withSlotWorkshop} from '#test/helper/with-slot-box.ts';

const ids = ['flow-a', 'flow-b', 'flow-c'] as const;
const crash = "throw new Error('a mistake that the test planted');";
const patient = {
	acceptMs: 60_000,
	fetchMs: 60_000,
	installMs: 60_000,
	rebootMs: 60_000,
	confirmMs: 60_000,
	graceMs: 5000,
};

/** Nobody sends there: the boxes run, and have nothing to receive. */
const section = () => ({
	receive: {
		announcement: {group: `239.255.${randomInt(10, 250)}.${randomInt(1, 250)}`, port: randomInt(20_000, 30_000)},
		interfaceAddress: '127.0.0.1',
	},
});

const rolloutOf = (release: string, boxes: readonly string[], more: Partial<RolloutCreate> = {}): RolloutCreate => ({
	name: `to ${release}`,
	release: release as RolloutCreate['release'],
	kind: 'stb',
	filter: boxes.map((id) => `id = ${id}`).join(' or '),
	groups: [{name: 'all', size: {kind: 'percent', percent: 100}}],
	deadlines: patient,
	retry: {attemptsMax: 1},
	...more,
});

const publish = async (
	fleet: TestFleet,
	workshop: SlotWorkshop,
	release: string,
	options: {readonly plant?: string} = {},
): Promise<{readonly bundleBytes: number}> => {
	const {directory, bundleBytes} = await workshop.makeRelease(release, options);
	const {manifest, signature = Buffer.of()} = await readReleaseDirectory(directory);
	const signal = AbortSignal.timeout(30_000);
	await publishRelease({fleet: {url: fleet.url, token: fleet.token}, directory, manifest, signature, signal});
	return {bundleBytes};
};

const startBoxes = async (t: ExecutionContext, fleet: TestFleet, workshop: SlotWorkshop) => {
	const boxes = new Map<string, SlotBox>();
	for (const id of ids) {
		boxes.set(id, await withSlotBox(t, workshop, {id, claim: await claimOf(fleet, id), section: section()}));
	}
	const all = async () => (await fleet.call('GET /boxes?filter=release%3D1.0.0')).body.total === ids.length;
	await eventually('all boxes have told what they run', all, {timeoutMs: 90_000}).catch((cause) => {
		throw new Error([...boxes.values()].map(({output}) => output()).join('\n'), {cause});
	});
	return (id: string): SlotBox => boxes.get(id) as SlotBox;
};

test('a fleet updates its boxes, and learns of those that crash, go dark, are called back, or may not spend so much', async (t) => {
	t.timeout(300_000);
	const fleet = await withFleet(t, {
		config: {carousel: {objectBaseUri: 'http://dvb.gw/streamverse/', headendUrls: []}},
	});
	const workshop = await withSlotWorkshop(t, {keyDirectory: join(fleet.stateDirectory, 'release-key')});
	const boxOf = await startBoxes(t, fleet, workshop);
	const {make, approveAndStart, until, act} = await withApprover(fleet);
	const begin = async (rollout: RolloutCreate): Promise<string> => {
		const {id} = await make(rollout);
		await approveAndStart(id);
		return id;
	};

	const second = await publish(fleet, workshop, '2.0.0');
	const good = await begin(rolloutOf('2.0.0', ids));
	const {boxes: updated} = await until('all boxes are updated', good, ({state}) => state === 'finished');
	for (const {box, state, phase, bytes} of updated) {
		t.like({state, phase}, {state: 'done', phase: 'confirmed'}, box);
		t.true(bytes.unicast >= second.bundleBytes && bytes.local === 0, `${box}: ${JSON.stringify(bytes)}`);
		const {booted, slots} = await boxOf(box).bootRecord();
		t.is(booted, 'slot-b');
		t.like(slots['slot-b'], {state: 'good', release: '2.0.0'});
	}
	t.is(updated.length, ids.length);
	t.is((await fleet.call('GET /boxes?filter=release%3D2.0.0')).body.total, ids.length);

	// Of three boxes two are for the release that crashes; the third goes dark meanwhile.
	const third = await publish(fleet, workshop, '3.0.0', {plant: crash});
	await publish(fleet, workshop, '4.0.0');
	boxOf('flow-c').signalLauncher('SIGSTOP');
	const dark = await begin(rolloutOf('4.0.0', ['flow-c'], {deadlines: {...patient, rebootMs: 2000, graceMs: 1000}}));
	const crashing = await begin(
		rolloutOf('3.0.0', ['flow-a', 'flow-b'], {
			// The box gives up by itself; how long the fleet waits to hear of it costs nothing.
			deadlines: {...patient, confirmMs: 8000, graceMs: 60_000},
			groups: [
				{name: 'one', size: {kind: 'count', count: 1}, errorCount: 1, errorPercent: null},
				{name: 'rest', size: {kind: 'percent', percent: 100}},
			],
		}),
	);
	const paused = await until('the rollout pauses by itself', crashing, ({state}) => state === 'paused');
	t.is(paused.rollout.reason?.code, 'OTA_ROLLOUT_ERROR_THRESHOLD');
	const fallen = paused.boxes.find(({state}) => state === 'failed');
	const spared = paused.boxes.find(({state}) => state === 'waiting');
	t.is(fallen?.phase, 'rolled-back', JSON.stringify(paused.boxes));
	t.regex(fallen?.reason?.code ?? '', /^OTA_ROLLED_BACK_/u);
	t.regex(fallen?.reason?.message ?? '', /stb is /u);
	t.like(await boxOf(fallen?.box ?? '').bootRecord(), {booted: 'slot-b'});
	// Both releases differ in two files: what they share is not fetched again.
	t.true(fallen !== undefined && fallen.bytes.local > 0.8 * third.bundleBytes, JSON.stringify(fallen?.bytes));
	t.true(fallen !== undefined && fallen.bytes.unicast < 0.15 * third.bundleBytes, JSON.stringify(fallen?.bytes));
	t.is(spared?.attempt, 0);

	const gone = await until('the dark box is given up', dark, (_, [box]) => box?.state === 'failed');
	t.like(gone.boxes[0], {reason: {code: 'OTA_ROLLOUT_DARK'}, phase: 'rebooting'});
	boxOf('flow-c').signalLauncher('SIGCONT');

	await act(crashing, 'abort');
	const free = [spared?.box ?? ''];
	const carousel = {carouselWaitMs: 600_000, blocks: false, https: true};
	const recalled = await begin(rolloutOf('4.0.0', free, {sources: carousel}));
	await until('the box fetches', recalled, (_, [box]) => box?.phase === 'fetching');
	await act(recalled, 'abort');
	await until(
		'its order is taken back',
		recalled,
		({state}, [box]) => state === 'aborted' && box?.state === 'withdrawn',
	);
	await eventually('the box has given up', async () => {
		const {body} = await fleet.call(`GET /boxes/${free[0]}`);
		return body.reported?.update?.phase === 'failed';
	});

	const budget = {blocks: false, https: true};
	const dear = await begin(rolloutOf('4.0.0', free, {sources: budget, byteBudgetBytes: 10_000}));
	const refused = await until('the box says that it may not', dear, (_, [box]) => box?.state === 'failed');
	t.like(refused.boxes[0], {phase: 'failed', reason: {code: 'OTA_FAILED_BUDGET'}});
	t.true((refused.boxes[0]?.bytes.unicast ?? Number.NaN) <= 10_000);
	const {booted, slots} = await boxOf(free[0] ?? '').bootRecord();
	t.is(slots[booted].release, '2.0.0');

	// Given up in error: a box that comes back from the dark and keeps the release has it.
	await until('the box comes back', dark, (_, [box]) => box?.state === 'done');
});
