import type {CutPhaseName} from '#test/bench/powercut/cut-phase.ts';
import type {CacheLoss} from '#test/bench/powercut/write-log.ts';

/** One cut: in which phase, at which part of the time that the phase takes, and what the disk's cache loses by it. */
export type PlannedCut = {
	readonly phase: CutPhaseName;
	readonly share: number;
	readonly loss: CacheLoss;
	/** Of what is lost in part. */
	readonly seed: number;
};

const losses: readonly CacheLoss[] = ['nothing', 'everything', 'some'];
const seedMax = 2 ** 32;

export const drawCut = (phase: CutPhaseName, random: () => number): PlannedCut => ({
	...{phase, share: random(), seed: Math.floor(random() * seedMax)},
	loss: losses[Math.floor(random() * losses.length)] ?? 'some',
});

/**
 * The cuts of one life of a box, in the order of its update. Between two of them it is up again. The new slot has three
 * tries, and each cut of its trial takes one: more of them would only show that the box goes back.
 */
export const drawPlan = (random: () => number): readonly PlannedCut[] => {
	const phases: CutPhaseName[] = ['enrolment'];
	const maybe = (chance: number, phase: CutPhaseName): void => {
		if (random() < chance) {
			phases.push(phase);
		}
	};
	maybe(0.8, 'download');
	maybe(0.8, 'slot write');
	maybe(0.3, 'slot write');
	phases.push(random() < 0.4 ? 'after the switch' : 'first boot');
	phases.push(random() < 0.5 ? 'before confirm' : 'marking good');
	return phases.map((phase) => drawCut(phase, random));
};
