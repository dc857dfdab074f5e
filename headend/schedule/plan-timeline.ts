import type {CarouselPlan, CarouselPriority, PlannedLane, PlanObject} from '#headend/schedule/plan-carousel.ts';

export type PlanSlot = {
	readonly path: string;
	readonly priority: CarouselPriority;
	readonly startMs: number;
	readonly endMs: number;
	readonly wireBytes: number;
};

/** A lane's progress: at `atMs` into the round it has sent `bytes`; linear in between. */
type Knot = {readonly atMs: number; readonly bytes: number};

/** Lanes without a share still move when the others are done. */
const weightMin = 0.001;

/**
 * When each object of a round is on air. The lanes share the rate by their weights while they have something to send
 * (that is what the sender's deficit round robin does), so that each lane's progress is piecewise linear.
 */
export const timelineOf = (plan: CarouselPlan): PlanSlot[] => {
	const knots = knotsOf(plan);
	const slots = plan.lanes.flatMap((lane, index) => laneSlots(lane, knots[index] ?? []));
	return slots.sort((a, b) => a.startMs - b.startMs);
};

const weightOf = (lane: PlannedLane): number => Math.max(lane.share, weightMin);

const knotsOf = (plan: CarouselPlan): Knot[][] => {
	const bytesPerMs = plan.availableBps / 8000;
	const totals = plan.lanes.map((lane) => lane.wireBytes * lane.repeats);
	const sent = totals.map(() => 0);
	const knots: Knot[][] = totals.map(() => [{atMs: 0, bytes: 0}]);
	let atMs = 0;
	for (;;) {
		const active = plan.lanes.flatMap((lane, index) =>
			(sent[index] ?? 0) < (totals[index] ?? 0) ? [{lane, index}] : [],
		);
		if (active.length === 0 || bytesPerMs === 0) {
			return knots;
		}
		const weights = active.reduce((total, {lane}) => total + weightOf(lane), 0);
		const rateOf = (lane: PlannedLane): number => (bytesPerMs * weightOf(lane)) / weights;
		const remainingMs = active.map(({lane, index}) => ((totals[index] ?? 0) - (sent[index] ?? 0)) / rateOf(lane));
		const stepMs = Math.min(...remainingMs);
		atMs += stepMs;
		for (const [at, {lane, index}] of active.entries()) {
			// The lane that ends this step is set to its total, so that rounding never leaves it a crumb.
			sent[index] = remainingMs[at] === stepMs ? (totals[index] ?? 0) : (sent[index] ?? 0) + stepMs * rateOf(lane);
			knots[index]?.push({atMs, bytes: sent[index] ?? 0});
		}
	}
};

const laneSlots = (lane: PlannedLane, knots: readonly Knot[]): PlanSlot[] => {
	const slots: PlanSlot[] = [];
	const timeAt = createInterpolator(knots);
	let bytes = 0;
	for (let pass = 0; pass < lane.repeats; pass += 1) {
		for (const object of lane.objects) {
			const startMs = timeAt(bytes);
			bytes += object.wireBytes;
			slots.push(slotOf(object, startMs, timeAt(bytes)));
		}
	}
	return slots;
};

const slotOf = ({path, priority, wireBytes}: PlanObject, startMs: number, endMs: number): PlanSlot => ({
	path,
	priority,
	startMs,
	endMs,
	wireBytes,
});

/** For growing arguments only: it walks the knots once. */
const createInterpolator = (knots: readonly Knot[]): ((bytes: number) => number) => {
	let at = 0;
	return (bytes) => {
		while (at + 2 < knots.length && (knots[at + 1]?.bytes ?? 0) < bytes) {
			at += 1;
		}
		const from = knots[at];
		const to = knots[at + 1];
		if (from === undefined || to === undefined || to.bytes === from.bytes) {
			return from?.atMs ?? 0;
		}
		return from.atMs + ((bytes - from.bytes) / (to.bytes - from.bytes)) * (to.atMs - from.atMs);
	};
};
