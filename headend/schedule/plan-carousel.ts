/** Priorities that share the carousel, by rank. Live is not planned: it is sent at once, out of a reserve. */
export const carouselPriorities = ['high', 'medium', 'low'] as const;
export type CarouselPriority = (typeof carouselPriorities)[number];

export type PlanObject = {
	readonly path: string;
	readonly priority: CarouselPriority;
	readonly sizeBytes: number;
	/** Of one transmission with packet headers, FEC and its part of the FDT. */
	readonly wireBytes: number;
	/** When the path first appeared; the earlier keeps its place when there is not room for all. */
	readonly order: number;
	/** Tells a replaced object from the one before. */
	readonly revision: number;
};

export type PlanRequest = {
	readonly objects: readonly PlanObject[];
	readonly rateBps: number;
	/** Signalling and live, taken off the rate first. */
	readonly reservedBps: number;
	readonly cycleMs: number;
	readonly shares: Readonly<Record<CarouselPriority, number>>;
	readonly repeatsMax: number;
};

export type PlannedLane = {
	readonly priority: CarouselPriority;
	/** Share of the rate that this priority has for certain. */
	readonly share: number;
	/** In the order in which they are sent. */
	readonly objects: readonly PlanObject[];
	/** How often the whole lane is sent per round. */
	readonly repeats: number;
	/** Of one pass. */
	readonly wireBytes: number;
	/** Part of the cycle's capacity that one pass takes. */
	readonly usedRatio: number;
};

export type Misfit = {
	readonly path: string;
	readonly sizeBytes: number;
	readonly wireBytes: number;
	readonly reason: string;
};

export type CarouselPlan = {
	/** Bits per second for the carousel's objects. */
	readonly availableBps: number;
	/** What a cycle can carry. */
	readonly capacityBytes: number;
	/** How long one round takes; never longer than the cycle. Rounds follow each other without pause. */
	readonly roundMs: number;
	readonly lanes: readonly PlannedLane[];
	readonly doesNotFit: readonly Misfit[];
};

/**
 * Turns catalogue and rate into one round of the carousel. Each priority may fill its share of the cycle; what it leaves
 * flows down to the next ones, first come first kept. Spare room lets a lane repeat within the round, as far as its
 * share of the rate goes. Pure and deterministic: the same request gives the same plan.
 */
export const planCarousel = (request: PlanRequest): CarouselPlan => {
	const availableBps = Math.max(0, request.rateBps - request.reservedBps);
	const capacityBytes = Math.floor((availableBps / 8) * (request.cycleMs / 1000));
	const {taken, doesNotFit} = admit(request, capacityBytes);
	const needs = carouselPriorities.map((priority) => sumBytes(taken[priority]));
	const repeats = repeatsOf(request, needs, capacityBytes);
	const roundBytes = needs.reduce((total, need, lane) => total + need * (repeats[lane] ?? 1), 0);
	return {
		availableBps,
		capacityBytes,
		roundMs: availableBps === 0 ? 0 : Math.ceil((roundBytes * 8000) / availableBps),
		lanes: carouselPriorities.map((priority, lane) => ({
			priority,
			share: request.shares[priority],
			objects: taken[priority],
			repeats: repeats[lane] ?? 1,
			wireBytes: needs[lane] ?? 0,
			usedRatio: capacityBytes === 0 ? 0 : (needs[lane] ?? 0) / capacityBytes,
		})),
		doesNotFit,
	};
};

const sumBytes = (objects: readonly PlanObject[]): number =>
	objects.reduce((total, {wireBytes}) => total + wireBytes, 0);

const byOrder = (a: PlanObject, b: PlanObject): number =>
	a.order - b.order || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);

type Admission = {
	readonly taken: Readonly<Record<CarouselPriority, readonly PlanObject[]>>;
	readonly doesNotFit: readonly Misfit[];
};

/**
 * Room is dealt out to priorities before objects: each has what it needs up to its share, and what that leaves flows
 * down from high to low. Within its room a priority takes the older objects first, so that a newcomer does not put off
 * what is on air. Crumbs that no object of a priority fits into go to whoever still waits.
 */
const admit = (request: PlanRequest, capacityBytes: number): Admission => {
	const taken: Record<CarouselPriority, PlanObject[]> = {high: [], medium: [], low: []};
	const waiting: PlanObject[] = [];
	let usedBytes = 0;
	const sorted = [...request.objects].sort(byOrder);
	const wanted = carouselPriorities.map((priority) => sorted.filter((object) => object.priority === priority));
	const rooms = dealRoom(request, wanted.map(sumBytes), capacityBytes);
	for (const [lane, priority] of carouselPriorities.entries()) {
		let laneBytes = 0;
		for (const object of wanted[lane] ?? []) {
			if (laneBytes + object.wireBytes <= (rooms[lane] ?? 0)) {
				taken[priority].push(object);
				laneBytes += object.wireBytes;
			} else {
				waiting.push(object);
			}
		}
		usedBytes += laneBytes;
	}
	const doesNotFit: Misfit[] = [];
	for (const object of waiting) {
		if (usedBytes + object.wireBytes <= capacityBytes) {
			taken[object.priority].push(object);
			usedBytes += object.wireBytes;
		} else {
			doesNotFit.push(misfit(object, request, capacityBytes, usedBytes));
		}
	}
	for (const priority of carouselPriorities) {
		taken[priority].sort(byOrder);
	}
	return {taken, doesNotFit};
};

const dealRoom = (request: PlanRequest, needs: readonly number[], capacityBytes: number): number[] => {
	const rooms = carouselPriorities.map((priority, lane) =>
		Math.min(needs[lane] ?? 0, Math.floor(capacityBytes * request.shares[priority])),
	);
	let left = capacityBytes - rooms.reduce((total, room) => total + room, 0);
	return rooms.map((room, lane) => {
		const extra = Math.max(0, Math.min(left, (needs[lane] ?? 0) - room));
		left -= extra;
		return room + extra;
	});
};

const misfit = (object: PlanObject, request: PlanRequest, capacityBytes: number, usedBytes: number): Misfit => {
	const {path, sizeBytes, wireBytes, priority} = object;
	const cycleS = Math.round(request.cycleMs / 1000);
	const reason =
		wireBytes > capacityBytes
			? `It needs ${wireBytes} bytes on air, a cycle of ${cycleS} s carries ${capacityBytes}: raise the rate or the cycle.`
			: `The cycle of ${cycleS} s has ${capacityBytes - usedBytes} of ${capacityBytes} bytes left and it needs ${wireBytes}; what is ${priority} and older went first.`;
	return {path, sizeBytes, wireBytes, reason};
};

/**
 * A lane may repeat while the slowest lane needs the time anyway: with need/share the pass time of each lane at its share
 * of the rate, the longest one sets the round, and the others repeat as often as they fit into it. Low gives way first
 * when the sum would exceed the cycle.
 */
const repeatsOf = (request: PlanRequest, needs: readonly number[], capacityBytes: number): number[] => {
	const shares = carouselPriorities.map((priority) => Math.max(request.shares[priority], 0.001));
	const passes = needs.map((need, lane) => need / (shares[lane] ?? 1));
	const longest = Math.max(...passes);
	const repeats = passes.map((pass) =>
		pass === 0 ? 1 : Math.max(1, Math.min(request.repeatsMax, Math.floor(longest / pass))),
	);
	const roundBytes = (): number => needs.reduce((total, need, lane) => total + need * (repeats[lane] ?? 1), 0);
	for (let lane = repeats.length - 1; lane >= 0; lane -= 1) {
		const need = needs[lane] ?? 0;
		const excess = roundBytes() - capacityBytes;
		if (excess > 0 && need > 0) {
			repeats[lane] = Math.max(1, (repeats[lane] ?? 1) - Math.ceil(excess / need));
		}
	}
	return repeats;
};
