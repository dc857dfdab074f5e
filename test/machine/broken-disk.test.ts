import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {BenchBox} from '#test/bench/powercut/bench-box.ts';
import {isBootable} from '#test/bench/powercut/boot-variables.ts';
import {bootedSlot, isHealthy, isOver, type Sight} from '#test/bench/powercut/sight.ts';
import {partitionOf} from '#test/helper/box-disk.ts';
import {
	dataPartitionLabel,
	fillDataPartition,
	freeDataPartition,
	halfMakeDataPartition,
} from '#test/helper/data-partition.ts';
import {publishImage, rolloutTo} from '#test/helper/machine-update.ts';
import {type RolloutDesk, withApprover} from '#test/helper/with-approver.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {type TestImage, testImage} from '#test/helper/with-image.ts';
import {bootTimeoutMs, withMachineFleet} from '#test/helper/with-machine.ts';

const testTimeoutMs = 59 * 60_000;
const updateTimeoutMs = 6 * bootTimeoutMs;
/** Of the inactive slot's root file system. */
const otherRootNumber = 6;
const sectorBytes = 512;
const brokenAtBytes = 24 * 1024 * 1024;

type Scene = {
	readonly box: BenchBox;
	readonly directory: string;
	readonly desk: RolloutDesk;
	readonly next: TestImage;
	/** Orders the new release. */
	readonly order: () => Promise<void>;
};

const withScene = async (t: ExecutionContext, id: string): Promise<Scene> => {
	t.timeout(testTimeoutMs);
	const [old, next] = [await testImage({release: '1.0.0'}), await testImage({release: '1.0.1'})];
	const fleet = await withMachineFleet(t);
	const directory = await withDirectory(t);
	const box = new BenchBox({id, image: old, fleet, directory, signal: AbortSignal.timeout(testTimeoutMs)});
	t.teardown(() => box[Symbol.asyncDispose]());
	await box.flash();
	await publishImage(t, {fleet, image: next});
	const desk = await withApprover(fleet);
	const order = async (): Promise<void> => {
		const {id: rolloutId} = await desk.make(rolloutTo(next.release, id));
		await desk.approveAndStart(rolloutId);
		box.rolloutId = rolloutId;
	};
	return {box, directory, desk, next, order};
};

/** Switched off and on again, with the disk changed meanwhile. */
const restart = async (box: BenchBox, change: () => void): Promise<Sight> => {
	const before = (await box.look()).box?.reported?.bootId;
	await box.pullPlug();
	change();
	await box.switchOn();
	return await box.until(
		'it comes back',
		({box: known}) => known?.presence === 'online' && known.reported?.bootId !== before,
		{timeoutMs: 2 * bootTimeoutMs},
	);
};

test.serial(
	'a box whose data disk is full boots, tells why it takes no update, and takes one when there is room',
	async (t) => {
		const {box, order} = await withScene(t, 'stb-full');
		await box.switchOn();
		await box.until('it is in its fleet', isHealthy, {timeoutMs: bootTimeoutMs});
		await restart(box, () => fillDataPartition(box.diskPath));
		await order();
		const refused = await box.until('the update is refused', isOver, {timeoutMs: bootTimeoutMs});
		t.is(refused.rollout?.state, 'failed');
		t.regex(refused.rollout?.reason?.code ?? '', /^OTA_REFUSED_(?:ROOM|STORE)$/u, JSON.stringify(refused.rollout));
		t.is(refused.box?.release, '1.0.0');
		await restart(box, () => freeDataPartition(box.diskPath));
		await box.until('it is healthy again', isHealthy, {timeoutMs: bootTimeoutMs});
		await order();
		// 'refused' is still the order before; a phase may pass between two looks, so that later ones count, too.
		const notTaken = ['idle', 'accepted', 'refused', 'failed'];
		await box.until('it takes it', ({phase}) => !notTaken.includes(phase), {timeoutMs: bootTimeoutMs});
		t.pass();
	},
);

test.serial(
	'a box makes anew what a cut left of its data, and says so when its other slot cannot be written',
	async (t) => {
		const {box, directory, order} = await withScene(t, 'stb-broken');
		halfMakeDataPartition(box.diskPath);
		const {offsetBytes} = partitionOf(box.diskPath, otherRootNumber);
		const faults = join(directory, 'faults.conf');
		const sector = Math.floor((offsetBytes + brokenAtBytes) / sectorBytes);
		await writeFile(faults, `[inject-error]\nevent = "none"\niotype = "write"\nsector = "${sector}"\nerrno = "5"\n`);
		await box.switchOn({diskPath: `blkdebug:${faults}:${box.diskPath}`});
		await box.until('it is in its fleet', isHealthy, {timeoutMs: bootTimeoutMs});
		t.is(dataPartitionLabel(box.diskPath), 'data');
		await order();
		const {rollout, box: known, variables} = await box.until('the update fails', isOver, {timeoutMs: updateTimeoutMs});
		t.is(rollout?.state, 'failed');
		t.is(rollout?.reason?.code, 'OTA_FAILED_INSTALL', JSON.stringify(rollout));
		t.regex(rollout?.reason?.message ?? '', /Input\/output error/u);
		t.is(known?.release, '1.0.0');
		t.is(known === undefined ? undefined : bootedSlot(known), 'A');
		t.true(
			variables !== undefined && isBootable(variables, 'A') && !isBootable(variables, 'B'),
			JSON.stringify(variables),
		);
	},
);
