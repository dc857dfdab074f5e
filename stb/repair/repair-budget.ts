import type {Clock} from '#appliance/time/clock.ts';

const hourMs = 3_600_000;

export type RepairBudget = {
	/** False when `bytes` do not fit any more; then nothing is taken. */
	take(bytes: number): boolean;
	/** Takes even what is not there: the next in the background wait the longer. */
	takeAnyway(bytes: number): void;
	/** Gives back what a failed request did not use. */
	giveBack(bytes: number): void;
	/** How long until `bytes` fit, ms. */
	waitMs(bytes: number): number;
};

/** A bucket of an hour's bytes that refills evenly; an object larger than the bucket passes when the bucket is full. */
export const createRepairBudget = ({
	bytesPerHour,
	clock,
}: {
	readonly bytesPerHour: number;
	readonly clock: Clock;
}): RepairBudget => {
	let left = bytesPerHour;
	let refilledMs = clock.monotonicMs();
	const refill = (): void => {
		const nowMs = clock.monotonicMs();
		left = Math.min(bytesPerHour, left + ((nowMs - refilledMs) / hourMs) * bytesPerHour);
		refilledMs = nowMs;
	};
	const needed = (bytes: number): number => Math.min(bytes, bytesPerHour);
	return {
		take: (bytes) => {
			refill();
			if (bytesPerHour === 0 || left < needed(bytes)) {
				return false;
			}
			left -= bytes;
			return true;
		},
		takeAnyway: (bytes) => {
			refill();
			left = Math.max(-bytesPerHour, left - bytes);
		},
		giveBack: (bytes) => {
			left = Math.min(bytesPerHour, left + bytes);
		},
		waitMs: (bytes) => {
			refill();
			return bytesPerHour === 0 ? hourMs : Math.max(0, ((needed(bytes) - left) / bytesPerHour) * hourMs);
		},
	};
};
