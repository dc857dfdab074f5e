import {isBootable, readBootVariables} from '#test/bench/powercut/boot-variables.ts';
import {eventually} from '#test/helper/eventually.ts';
import {publishImage, rolloutTo} from '#test/helper/machine-update.ts';
import {type RolloutDesk, withApprover} from '#test/helper/with-approver.ts';
import type {TestOwner} from '#test/helper/with-directory.ts';
import type {TestImage} from '#test/helper/with-image.ts';
import {bootTimeoutMs, type TestMachine, withMachine, withMachineFleet} from '#test/helper/with-machine.ts';

/** Fetching, installing, three boots that fail, and one of the old slot. */
const trialTimeoutMs = 10 * bootTimeoutMs;

export type Offer = {
	readonly release: string;
	readonly bundlePath: string;
	/** What the release says that the bundle is for; default what it is for. */
	readonly compatible?: string;
	readonly confirmMs?: number;
};

/** How the fleet knows that an update ended. */
export type Outcome = {readonly phase: string; readonly code: string; readonly message: string};

export type TrialMachine = TestMachine & {
	/** Publishes a release, orders it as an operator does, and waits for what the box says of it at last. */
	readonly offer: (what: Offer) => Promise<Outcome>;
	/**
	 * Waits until it runs what it ran before all trials, healthy, and its boot loader counts this boot as a good one and would
	 * not start what was tried.
	 */
	readonly untilUnharmed: () => Promise<void>;
};

/** One machine, in its fleet and healthy in slot A, that is offered release after release. */
export const withTrialMachine = async (
	t: TestOwner,
	{image, id}: {readonly image: TestImage; readonly id: string},
): Promise<TrialMachine> => {
	const fleet = await withMachineFleet(t);
	const machine = await withMachine(t, {fleet, image, id});
	const desk = await withApprover(fleet);
	const trial: TrialMachine = {
		...machine,
		offer: async ({release, bundlePath, compatible, confirmMs}) => {
			await publishImage(t, {fleet, image: {release, bundlePath}, ...(compatible === undefined ? {} : {compatible})});
			const {id: rollout} = await desk.make(rolloutTo(release, id, confirmMs === undefined ? {} : {confirmMs}));
			await desk.approveAndStart(rollout);
			return await outcomeOf(desk, rollout, machine);
		},
		untilUnharmed: async () => {
			await machine.until('it is healthy in its old slot', ({presence, release, reported}) => {
				const booted = reported?.slots.find(({state}) => state === 'booted');
				const isOld = booted?.name === 'rootfs.0' && release === image.release;
				return isOld && presence === 'online' && reported?.healthy === true;
			});
			await eventually(
				'the try of the old slot given back, and the other not to be started',
				() => {
					const variables = readBootVariables(machine.diskPath);
					return (
						variables !== undefined &&
						variables.tries.A === 0 &&
						isBootable(variables, 'A') &&
						!isBootable(variables, 'B')
					);
				},
				{timeoutMs: bootTimeoutMs, intervalMs: 1000},
			);
		},
	};
	await trial.untilUnharmed();
	return trial;
};

const outcomeOf = async (desk: RolloutDesk, rollout: string, machine: TestMachine): Promise<Outcome> => {
	const isOver = (state: string | undefined): boolean => state === 'done' || state === 'failed' || state === 'skipped';
	const {boxes} = await machine
		.whileItRuns(
			desk.until('the box says how its update ended', rollout, (_, [box]) => isOver(box?.state), {
				timeoutMs: trialTimeoutMs,
			}),
		)
		.catch((cause: unknown) => {
			throw new Error(`no end; the console's last lines:\n${machine.lines().slice(-40).join('\n')}`, {cause});
		});
	const {phase, reason} = boxes[0] ?? {};
	return {phase: phase ?? '', code: reason?.code ?? '', message: reason?.message ?? ''};
};
