import {performance} from 'node:perf_hooks';
import {errorMessage} from '#appliance/error/coded-error.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {BenchBox, type Segment} from '#test/bench/powercut/bench-box.ts';
import {type CutPhaseName, cutPhaseOf, type PhaseClock} from '#test/bench/powercut/cut-phase.ts';
import type {PlannedCut} from '#test/bench/powercut/draw-plan.ts';
import {faultsAtEnd, faultsOf} from '#test/bench/powercut/judge-box.ts';
import {isHealthy, isOver, type Sight} from '#test/bench/powercut/sight.ts';
import type {CacheLoss} from '#test/bench/powercut/write-log.ts';
import {publishImage, rolloutTo} from '#test/helper/machine-update.ts';
import {seededRandom} from '#test/helper/seeded-random.ts';
import {withApprover} from '#test/helper/with-approver.ts';
import type {TestOwner} from '#test/helper/with-directory.ts';
import type {TestFleet} from '#test/helper/with-fleet.ts';
import type {TestImage} from '#test/helper/with-image.ts';
import {bootTimeoutMs, withMachineFleet} from '#test/helper/with-machine.ts';

const recoveryTimeoutMs = 2 * bootTimeoutMs;
/** With what a box waits before it tries an interrupted installation again. */
const updateTimeoutMs = 8 * bootTimeoutMs;
const lookIntervalMs = 150;

export type CutRecord = {
	readonly phase: CutPhaseName;
	/** After the phase had begun. */
	readonly afterMs: number;
	readonly loss: CacheLoss;
	/** Writes that the disk had not been told to flush, and of these the ones that are gone or torn. */
	readonly unflushed: number;
	readonly lost: number;
	/** From the power's return until the fleet hears from the box; undefined when it does not. */
	readonly recoverMs: number | undefined;
	readonly faults: readonly string[];
};

export type LifeRecord = {
	readonly cuts: readonly CutRecord[];
	/** How the update ended at the fleet. */
	readonly ending: string;
	/** Of the life as a whole, beside those of its cuts. */
	readonly faults: readonly string[];
};

export type LifeOptions = {
	/** Everything of the life lies there: the disk, the console's log. */
	readonly directory: string;
	readonly images: readonly [old: TestImage, next: TestImage];
	readonly plan: readonly PlannedCut[];
	readonly clock: PhaseClock;
	readonly onSegment?: (segment: Segment) => void;
	readonly progress: (line: string) => void;
	readonly signal: AbortSignal;
};

/** A box from its first boot to the end of its first update, with the plug pulled as planned. */
export const liveWithCuts = async (t: TestOwner, options: LifeOptions): Promise<LifeRecord> => {
	const {images, directory, clock, signal} = options;
	const [old, next] = images;
	const fleet = await withMachineFleet(t);
	await publishImage(t, {fleet, image: next});
	await using box = new BenchBox({
		...{id: 'stb-cut', image: old, fleet, directory, signal},
		onLook: (sight) => clock.see(sight, performance.now()),
		onPower: () => clock.forget(),
		...(options.onSegment === undefined ? {} : {onSegment: options.onSegment}),
	});
	await box.flash();
	const cuts: CutRecord[] = [];
	try {
		const end = await live(box, {...options, fleet, onCut: (cut) => cuts.push(cut)});
		const faults = await faultsAtEnd({sight: end, diskPath: box.diskPath, lines: box.lines(), images});
		return {cuts, ending: [end.rollout?.state, end.phase, end.rollout?.reason?.code].join(' ').trim(), faults};
	} catch (error) {
		signal.throwIfAborted();
		return {cuts, ending: 'it did not come to an end', faults: [errorMessage(error)]};
	}
};

const live = async (
	box: BenchBox,
	options: LifeOptions & {readonly fleet: TestFleet; readonly onCut: (cut: CutRecord) => void},
): Promise<Sight> => {
	const {images, plan, fleet, progress} = options;
	const cutAll = async (planned: readonly PlannedCut[]): Promise<void> => {
		for (const cut of planned) {
			const record = await cutOnce(box, cut, options);
			if (record === undefined) {
				progress(`${cut.phase}: it did not come to it`);
			} else {
				options.onCut(record);
				progress(describe(record));
			}
		}
	};
	await box.switchOn({hasCache: true});
	await cutAll(plan.filter(({phase}) => phase === 'enrolment'));
	await box.until('it is in its fleet', isHealthy, {timeoutMs: recoveryTimeoutMs});
	box.rolloutId = await startRollout(fleet, {release: images[1].release, id: box.id});
	await cutAll(plan.filter(({phase}) => phase !== 'enrolment'));
	return await box.until('its update ends, and it is healthy', (sight) => isOver(sight) && isHealthy(sight), {
		timeoutMs: updateTimeoutMs,
	});
};

const startRollout = async (
	fleet: TestFleet,
	{release, id}: {readonly release: string; readonly id: string},
): Promise<string> => {
	const desk = await withApprover(fleet);
	const rollout = await desk.make(rolloutTo(release, id));
	await desk.approveAndStart(rollout.id);
	return rollout.id;
};

/** Undefined when the box never comes to the phase: its update is over. */
const cutOnce = async (
	box: BenchBox,
	{phase: name, share, loss, seed}: PlannedCut,
	{clock, images, signal}: LifeOptions,
): Promise<CutRecord | undefined> => {
	const phase = cutPhaseOf(name);
	const began = await box.until(`the phase ${name}`, (sight) => phase.begins(sight) || isOver(sight), {
		timeoutMs: updateTimeoutMs,
	});
	if (!phase.begins(began)) {
		return undefined;
	}
	const beganMs = performance.now();
	const dueMs = share * clock.expectedMs(name);
	const passedMs = (): number => performance.now() - beganMs;
	while (passedMs() < dueMs) {
		await sleep(Math.min(lookIntervalMs, Math.max(0, dueMs - passedMs())), {signal});
		if (passedMs() < dueMs && phase.ends(await box.look())) {
			break;
		}
	}
	const bootId = (await box.look()).box?.reported?.bootId;
	const afterMs = passedMs();
	const {unflushed = 0, lost = 0} = (await box.pullPlug({loss, random: seededRandom(seed)})) ?? {};
	const cut = {...{phase: name, afterMs}, ...{loss, unflushed, lost}};
	await box.switchOn({hasCache: true});
	const onMs = performance.now();
	const hasReturned = ({box: known}: Sight): boolean => {
		const {presence, reported} = known ?? {};
		return presence === 'online' && reported != null && reported.bootId !== bootId && reported.slots.length > 0;
	};
	try {
		const sight = await box.until(`it comes back after a cut: ${name}`, hasReturned, {timeoutMs: recoveryTimeoutMs});
		const recoverMs = performance.now() - onMs;
		const faults = await faultsOf({sight, diskPath: box.diskPath, lines: box.lines(), images});
		return {...cut, recoverMs, faults};
	} catch (error) {
		signal.throwIfAborted();
		return {...cut, recoverMs: undefined, faults: [errorMessage(error)]};
	}
};

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;

const describe = ({phase, afterMs, unflushed, lost, recoverMs, faults}: CutRecord): string => {
	const back = recoverMs === undefined ? 'it did not come back' : `back after ${seconds(recoverMs)}`;
	const gone = `${lost} of ${unflushed} unflushed writes lost`;
	return [`${phase}: cut after ${seconds(afterMs)}, ${gone}, ${back}`, ...faults].join('; ').split('\n')[0] ?? '';
};
