import {isBootable, readBootVariables, type Slot, slots} from '#test/bench/powercut/boot-variables.ts';
import {newSlot} from '#test/bench/powercut/cut-phase.ts';
import {bootedSlot, type Sight} from '#test/bench/powercut/sight.ts';
import {wholeReleaseIn} from '#test/bench/powercut/whole-release.ts';
import type {TestImage} from '#test/helper/with-image.ts';

/** What no cut of power may bring about; told by the kernel and the initrd. */
const complaints = [
	/kernel panic/iu,
	/verity.*(?:corrupt|mismatch|fail)/iu,
	/EXT4-fs error/u,
	/nothing that changes outlives this boot/u,
	/is not kept/u,
	/no slot holds the root file system/u,
];

export type Judged = {
	readonly sight: Sight;
	readonly diskPath: string;
	readonly lines: readonly string[];
	readonly images: readonly [old: TestImage, next: TestImage];
};

/** After every cut: what is wrong with a box that came back, and with what its fleet believes. Empty when nothing is. */
export const faultsOf = async ({sight, diskPath, lines, images}: Judged): Promise<readonly string[]> => {
	const {box} = sight;
	const runs = box && bootedSlot(box);
	const faults = lines.filter((line) => complaints.some((pattern) => pattern.test(line)));
	if (box === undefined || runs === undefined) {
		return [...faults, `the fleet does not know which slot runs: ${JSON.stringify(box?.reported?.slots)}`];
	}
	const release = await wholeReleaseIn(diskPath, runs, images);
	if (release === undefined) {
		faults.push(`slot ${runs} runs, and holds no whole release`);
	}
	if (box.release !== release || box.reported?.release !== release) {
		faults.push(`slot ${runs} holds ${release}, and the fleet believes ${box.release} and ${box.reported?.release}`);
	}
	if (sight.boots.at(-1) !== runs) {
		faults.push(`the boot loader has booted ${sight.boots.at(-1)}, and the fleet believes ${runs}`);
	}
	return [...faults, ...(await halfSlots(diskPath, images))];
};

/** Slots that the boot loader may choose although they hold no whole release. */
const halfSlots = async (diskPath: string, images: readonly TestImage[]): Promise<readonly string[]> => {
	const isEligible = (slot: Slot): boolean => {
		const variables = readBootVariables(diskPath);
		return variables !== undefined && isBootable(variables, slot);
	};
	const faults: string[] = [];
	for (const slot of slots) {
		// Asked again behind it: meanwhile the box may have begun to write there.
		if (isEligible(slot) && (await wholeReleaseIn(diskPath, slot, images)) === undefined && isEligible(slot)) {
			faults.push(`slot ${slot} may be booted, and holds no whole release`);
		}
	}
	return faults;
};

/** At the end of its update, besides: done with the new release, or failed with a reason and the old one. */
export const faultsAtEnd = async (judged: Judged): Promise<readonly string[]> => {
	const {sight, diskPath, images} = judged;
	const {box, rollout, variables} = sight;
	const [old, next] = images;
	const runs = box && bootedSlot(box);
	const faults = [...(await faultsOf(judged))];
	if (rollout?.state === 'done') {
		if (box?.release !== next.release || runs !== newSlot || sight.phase !== 'confirmed') {
			faults.push(`the rollout is done, and ${box?.release} runs in ${runs}, ${sight.phase}`);
		}
	} else if (box?.release !== old.release || runs === newSlot || rollout?.reason === null) {
		faults.push(`the rollout failed (${rollout?.reason?.code}), and ${box?.release} runs in ${runs}`);
	}
	if (variables === undefined || runs === undefined || !isBootable(variables, runs)) {
		faults.push(`the boot loader would not boot ${runs} again: ${JSON.stringify(variables)}`);
	}
	if (readBootVariables(diskPath, 'grubenv.second') === undefined) {
		faults.push("the second copy of the boot loader's environment is not whole");
	}
	return faults;
};
