import type {CatalogueEntry} from '#headend/catalogue/catalogue-entry.ts';
import type {HeadendConfig} from '#headend/config-schema.ts';
import {type CarouselPlan, type PlanObject, planCarousel} from '#headend/schedule/plan-carousel.ts';
import {fdtBytesPerObject, fecGeometryOf, wireBytesOf} from '#headend/schedule/wire-size.ts';

/** The reserve is planned anew when it has moved by this much of the rate; less would only make plans flicker. */
const reserveStaleRatio = 0.05;
/** Live comes in bursts around its mean. */
const liveReserveFactor = 1.2;

/** The rate of the moment; a change of MODCOD changes it. */
export type TransmissionRate = {readonly rateBps: number};

/** Holds the plan that is in force, and what it was made from. */
export class CarouselPlanner {
	readonly #config: HeadendConfig;
	readonly #transmission: TransmissionRate;
	#plan: CarouselPlan;
	#misfits = new Map<string, string>();
	#reservedBps: number;
	#plannedReserveBps: number;
	#lastPlanMs = 0;

	constructor(config: HeadendConfig, transmission: TransmissionRate) {
		this.#config = config;
		this.#transmission = transmission;
		this.#reservedBps = config.carousel.liveReserveBps;
		this.#plannedReserveBps = this.#reservedBps;
		this.#plan = this.#make([]);
	}

	get plan(): CarouselPlan {
		return this.#plan;
	}

	/** How long planning took, so that its caller can pace itself. */
	get lastPlanMs(): number {
		return this.#lastPlanMs;
	}

	get isReserveStale(): boolean {
		return Math.abs(this.#reservedBps - this.#plannedReserveBps) > this.#transmission.rateBps * reserveStaleRatio;
	}

	/** What signalling and live take now. */
	reserve({liveBps, signallingBps}: {readonly liveBps: number; readonly signallingBps: number}): void {
		this.#reservedBps = Math.max(liveBps * liveReserveFactor, this.#config.carousel.liveReserveBps) + signallingBps;
	}

	update(entries: Iterable<CatalogueEntry>): CarouselPlan {
		const startedMs = performance.now();
		const objects: PlanObject[] = [];
		for (const entry of entries) {
			const object = this.#toPlanObject(entry);
			if (object !== undefined) {
				objects.push(object);
			}
		}
		this.#plannedReserveBps = this.#reservedBps;
		this.#plan = this.#make(objects);
		this.#misfits = new Map(this.#plan.doesNotFit.map(({path, reason}) => [path, reason]));
		this.#lastPlanMs = performance.now() - startedMs;
		return this.#plan;
	}

	/** Whether the entry has its place; for one that is newer than the plan, whether there is room for it. */
	verdictOn(entry: CatalogueEntry): {readonly fits: boolean; readonly reason?: string} {
		const reason = this.#misfits.get(entry.path);
		if (reason !== undefined) {
			return {fits: false, reason};
		}
		const object = this.#toPlanObject(entry);
		const freeBytes = this.#plan.capacityBytes - this.#plan.lanes.reduce((total, {wireBytes}) => total + wireBytes, 0);
		const isPlanned =
			object === undefined || this.#plan.lanes.some(({objects}) => objects.some(({path}) => path === entry.path));
		return isPlanned || object.wireBytes <= freeBytes
			? {fits: true}
			: {fits: false, reason: `It needs ${object.wireBytes} bytes of a cycle that has ${Math.max(0, freeBytes)} left.`};
	}

	#make(objects: readonly PlanObject[]): CarouselPlan {
		const {carousel} = this.#config;
		return planCarousel({
			objects,
			rateBps: this.#transmission.rateBps,
			reservedBps: this.#reservedBps,
			cycleMs: carousel.cycleMs,
			shares: carousel.shares,
			repeatsMax: carousel.repeatsMax,
		});
	}

	/** Sizes are those before compression: what text saves on air is a reserve. */
	#toPlanObject(entry: CatalogueEntry): PlanObject | undefined {
		if (entry.priority === 'live') {
			return undefined;
		}
		const {symbolBytes, fec} = this.#config.uplink;
		const geometry = fecGeometryOf(entry.sizeBytes, {...fec, symbolBytes});
		return {
			path: entry.path,
			priority: entry.priority,
			sizeBytes: entry.sizeBytes,
			wireBytes: wireBytesOf(entry.sizeBytes, geometry) + fdtBytesPerObject,
			order: entry.order,
			revision: entry.revision,
		};
	}
}
