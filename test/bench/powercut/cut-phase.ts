import {isHealthy, type Sight} from '#test/bench/powercut/sight.ts';

/** The update goes from A to B: a life of a box is one update. */
export const newSlot = 'B';

export type CutPhase = {
	readonly name: string;
	readonly begins: (sight: Sight) => boolean;
	readonly ends: (sight: Sight) => boolean;
	/** How long it takes, as long as nothing else is known. */
	readonly guessMs: number;
};

const isSwitched = ({variables}: Sight): boolean => variables?.first === newSlot && variables.ok[newSlot];
const isInNewSlot = ({boots}: Sight): boolean => boots.at(-1) === newSlot;
const isMarkedGood = ({variables}: Sight): boolean =>
	variables?.first === newSlot && variables.ok[newSlot] && variables.tries[newSlot] === 0;

/** In the order in which a box goes through them. */
export const cutPhases = [
	{
		name: 'enrolment',
		begins: ({boots}) => boots.length > 0,
		ends: isHealthy,
		guessMs: 90_000,
	},
	{
		name: 'download',
		begins: ({phase}) => phase === 'fetching',
		ends: ({phase}) => phase !== 'accepted' && phase !== 'fetching',
		guessMs: 60_000,
	},
	{
		name: 'slot write',
		begins: ({phase}) => phase === 'installing',
		ends: (sight) => sight.phase !== 'installing' || isSwitched(sight),
		guessMs: 60_000,
	},
	{
		name: 'after the switch',
		begins: (sight) => isSwitched(sight) && (sight.phase === 'installing' || sight.phase === 'rebooting'),
		ends: isInNewSlot,
		guessMs: 15_000,
	},
	{
		name: 'first boot',
		begins: isInNewSlot,
		ends: ({phase}) => phase !== 'installing' && phase !== 'rebooting',
		guessMs: 90_000,
	},
	{
		name: 'before confirm',
		begins: ({phase}) => phase === 'confirming',
		ends: isMarkedGood,
		guessMs: 20_000,
	},
	{
		name: 'marking good',
		begins: (sight) => isMarkedGood(sight) && (sight.phase === 'confirming' || sight.phase === 'confirmed'),
		ends: ({phase}) => phase === 'confirmed',
		guessMs: 2000,
	},
] as const satisfies readonly CutPhase[];

export type CutPhaseName = (typeof cutPhases)[number]['name'];

export const cutPhaseOf = (name: CutPhaseName): CutPhase => {
	const found = cutPhases.find((phase) => phase.name === name);
	if (found === undefined) {
		throw new RangeError(`There is no phase ${name}.`);
	}
	return found;
};

/** How long phases take, as it was seen: how fast an emulated machine is depends on what else its host does. */
export class PhaseClock {
	readonly #longestMs = new Map<CutPhaseName, number>();
	readonly #beganMs = new Map<CutPhaseName, number>();

	see(sight: Sight, nowMs: number): void {
		for (const {name, begins, ends} of cutPhases) {
			const beganMs = this.#beganMs.get(name);
			if (beganMs === undefined && begins(sight)) {
				this.#beganMs.set(name, nowMs);
			} else if (beganMs !== undefined && ends(sight)) {
				this.#longestMs.set(name, Math.max(nowMs - beganMs, this.#longestMs.get(name) ?? 0));
				this.#beganMs.delete(name);
			}
		}
	}

	/** What a cut has interrupted tells nothing of how long it takes. */
	forget(): void {
		this.#beganMs.clear();
	}

	expectedMs(name: CutPhaseName): number {
		return this.#longestMs.get(name) ?? cutPhaseOf(name).guessMs;
	}
}
