import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {ObjectPreparer, type PreparedObject} from '#headend/carousel/prepare-objects.ts';
import type {TransportSession} from '#headend/carousel/transport-session.ts';
import type {CatalogueEntry} from '#headend/catalogue/catalogue-entry.ts';
import {runLoop} from '#headend/runner/run-loop.ts';
import {Wake} from '#headend/runner/wake.ts';
import type {TransmissionRate} from '#headend/schedule/carousel-planner.ts';
import {LaneRotation} from '#headend/schedule/lane-rotation.ts';
import {type CarouselPlan, type CarouselPriority, carouselPriorities} from '#headend/schedule/plan-carousel.ts';
import {wireBytesOf} from '#headend/schedule/wire-size.ts';

/** A lane holds at least two transmissions, and as many small ones as take this long, so that it never runs dry. */
const laneJobsMin = 2;
const laneJobsMax = 256;
const laneMs = 500;

type Lane = {
	readonly priority: CarouselPriority;
	readonly rotation: LaneRotation;
	repeats: number;
	jobs: number;
	bytes: number;
};

type Picked = {readonly lane: Lane; readonly prepared: PreparedObject; readonly wireBytes: number};

export type FileCarouselOptions = {
	readonly session: TransportSession;
	readonly clock: Clock;
	readonly logger: Logger;
	readonly gzip: boolean;
	readonly transmission: TransmissionRate;
	readonly minimumGapMs: number;
	readonly entryOf: (path: string) => CatalogueEntry | undefined;
	/** Keeps a file while it is queued or on air. */
	readonly hold: (filePath: string) => Disposable;
	readonly onChanged: (entry: CatalogueEntry) => void;
};

export type FileCarouselState = {
	readonly position: number;
	readonly cycles: number;
	readonly objectsSent: number;
	readonly next: readonly {path: string; priority: CarouselPriority; sizeBytes: number; inMs: number}[];
};

/**
 * Carries a plan out: keeps the lanes of high, medium and low fed, round after round. It only orders transmissions; the
 * native sender shares the rate among the lanes. A new plan changes what is picked next and touches nothing in flight.
 */
export class FileCarousel {
	readonly #options: FileCarouselOptions;
	readonly #wake = new Wake();
	readonly #preparer: ObjectPreparer;
	readonly #lanes: readonly Lane[];
	#plan: CarouselPlan | undefined;
	#roundStartedMs = Number.NEGATIVE_INFINITY;
	#roundBytes = 0;
	#cycles = 0;
	#objectsSent = 0;

	constructor(options: FileCarouselOptions) {
		this.#options = options;
		this.#preparer = new ObjectPreparer(options);
		this.#lanes = carouselPriorities.map((priority) => ({
			priority,
			rotation: new LaneRotation(),
			repeats: 1,
			jobs: 0,
			bytes: 0,
		}));
	}

	get #laneBytes(): number {
		return (this.#options.transmission.rateBps / 8) * (laneMs / 1000);
	}

	applyPlan(plan: CarouselPlan): void {
		this.#plan = plan;
		for (const [index, lane] of this.#lanes.entries()) {
			lane.repeats = plan.lanes[index]?.repeats ?? 1;
			lane.rotation.replan(plan.lanes[index]?.objects ?? []);
		}
		this.#wake.wake();
	}

	forget(path: string): void {
		this.#preparer.forget(path);
	}

	run({signal}: {readonly signal: AbortSignal}): Promise<void> {
		const {logger, minimumGapMs} = this.#options;
		return runLoop({
			name: 'carousel',
			wake: this.#wake,
			intervalMs: Math.max(100, Math.min(minimumGapMs, 1000)),
			signal,
			logger,
			step: () => this.#feed(),
		});
	}

	state(limit: number): FileCarouselState {
		const roundBytes = (this.#plan?.lanes ?? []).reduce(
			(total, {wireBytes, repeats}) => total + wireBytes * repeats,
			0,
		);
		return {
			position: roundBytes === 0 ? 0 : Math.min(1, this.#roundBytes / roundBytes),
			cycles: this.#cycles,
			objectsSent: this.#objectsSent,
			next: this.#lanes
				.flatMap((lane) => this.#nextOf(lane, limit))
				.sort((a, b) => a.inMs - b.inMs)
				.slice(0, limit),
		};
	}

	/** What is queued goes first; then the lane's turn, at the lane's share of the rate. */
	#nextOf(lane: Lane, limit: number) {
		const plan = this.#plan;
		const busy = plan?.lanes.filter(({objects}) => objects.length > 0) ?? [];
		const shares = busy.reduce((total, {share}) => total + share, 0);
		const share = plan?.lanes.find(({priority}) => priority === lane.priority)?.share ?? 0;
		const bytesPerMs = ((plan?.availableBps ?? 0) / 8000) * (shares === 0 ? 1 : share / shares);
		let bytes = lane.bytes;
		return lane.rotation.upcoming(limit).map(({path, priority, sizeBytes, wireBytes}) => {
			const inMs = bytesPerMs === 0 ? 0 : Math.round(bytes / bytesPerMs);
			bytes += wireBytes;
			return {path, priority, sizeBytes, inMs};
		});
	}

	async #feed(): Promise<void> {
		if (!this.#lanes.some((lane) => this.#isHungry(lane))) {
			return;
		}
		// All lanes are filled together, so that one FDT instance announces what comes next in each of them. A lane finds out
		// that its round is over only when it is asked, hence the second look.
		const batch: Picked[] = [];
		for (let look = 0; look < 2 && batch.length === 0; look += 1) {
			this.#startRoundWhenDone();
			for (const lane of this.#lanes) {
				for (const prepared of await this.#preparer.prepare(this.#pick(lane))) {
					const {object, fec} = prepared.file;
					batch.push({lane, prepared, wireBytes: wireBytesOf(object.transferLength, fec)});
				}
			}
		}
		// What was deleted or replaced while it was made ready has no file any more.
		const current = batch.filter(
			({prepared: {entry}}) => this.#options.entryOf(entry.path)?.revision === entry.revision,
		);
		if (current.length > 0) {
			this.#transmit(current);
		}
	}

	#transmit(batch: readonly Picked[]): void {
		this.#options.session.transmit(
			batch.map(({lane, prepared: {entry, file}, wireBytes}) => {
				lane.jobs += 1;
				lane.bytes += wireBytes;
				const hold = this.#options.hold(entry.filePath);
				return {
					file,
					lane: lane.priority,
					label: {path: entry.path, priority: entry.priority, sizeBytes: entry.sizeBytes},
					onEnd: ({kind}) => {
						lane.jobs -= 1;
						lane.bytes -= wireBytes;
						this.#roundBytes += wireBytes;
						this.#objectsSent += kind === 'sent' ? 1 : 0;
						hold[Symbol.dispose]();
						if (this.#isHungry(lane)) {
							this.#wake.wake();
						}
					},
				};
			}),
		);
	}

	/** Below half of what it should hold; the gap saves an FDT instance per object. */
	#isHungry(lane: Lane): boolean {
		return lane.jobs < laneJobsMin || (lane.bytes < this.#laneBytes / 2 && lane.jobs <= laneJobsMax / 2);
	}

	#pick(lane: Lane): CatalogueEntry[] {
		const picked: CatalogueEntry[] = [];
		let bytes = lane.bytes;
		let jobs = lane.jobs;
		while (jobs < laneJobsMin || (bytes < this.#laneBytes && jobs < laneJobsMax)) {
			const object = lane.rotation.next({
				nowMs: this.#options.clock.monotonicMs(),
				minimumGapMs: this.#options.minimumGapMs,
			});
			if (object === undefined) {
				break;
			}
			const entry = this.#options.entryOf(object.path);
			// Deleted or replaced since the plan was made; the next plan knows.
			if (entry !== undefined && entry.revision === object.revision) {
				picked.push(entry);
				jobs += 1;
				bytes += object.wireBytes;
			}
		}
		return picked;
	}

	/** A round begins when every lane has had its turn, but not sooner than an object may be sent again. */
	#startRoundWhenDone(): void {
		const nowMs = this.#options.clock.monotonicMs();
		if (
			this.#lanes.some(({rotation}) => !rotation.isDone) ||
			nowMs - this.#roundStartedMs < this.#options.minimumGapMs
		) {
			return;
		}
		this.#cycles += this.#roundStartedMs === Number.NEGATIVE_INFINITY ? 0 : 1;
		this.#roundStartedMs = nowMs;
		this.#roundBytes = 0;
		for (const lane of this.#lanes) {
			lane.rotation.startRound(lane.repeats);
		}
	}
}
