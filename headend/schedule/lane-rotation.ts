import type {PlanObject} from '#headend/schedule/plan-carousel.ts';

type Mark = {readonly pass: number; readonly revision: number; readonly atMs: number};

/**
 * The turn of one lane: which object is next. It survives re-planning: the cursor is an order, not an index, so that
 * nobody loses or gains a turn when others come and go. What was never on air goes first, but takes at most half of
 * the lane's bytes from what waits its turn, so that a stream of new objects starves nobody.
 */
export class LaneRotation {
	#objects: readonly PlanObject[] = [];
	#fresh = new Map<string, PlanObject>();
	readonly #marks = new Map<string, Mark>();
	#cursor = -1;
	#pass = 0;
	#passesLeft = 0;
	#freshBytes = 0;
	#turnBytes = 0;

	/** Takes the lane of a new plan; `objects` are sorted by order. */
	replan(objects: readonly PlanObject[]): void {
		this.#objects = objects;
		this.#fresh = new Map();
		const present = new Set<string>();
		for (const object of objects) {
			present.add(object.path);
			if (this.#marks.get(object.path)?.revision !== object.revision) {
				this.#fresh.set(object.path, object);
			}
		}
		for (const path of this.#marks.keys()) {
			if (!present.has(path)) {
				this.#marks.delete(path);
			}
		}
	}

	/** Allows `passes` more passes over the lane. */
	startRound(passes: number): void {
		this.#pass += 1;
		this.#passesLeft = passes;
		this.#cursor = -1;
	}

	/** True when nothing is left to send in this round. */
	get isDone(): boolean {
		return this.#fresh.size === 0 && (this.#passesLeft === 0 || this.#objects.length === 0);
	}

	get freshCount(): number {
		return this.#fresh.size;
	}

	/** The object to send next, which counts as sent from now on; undefined when the lane rests. */
	next(options: {readonly nowMs: number; readonly minimumGapMs: number}): PlanObject | undefined {
		const isFreshTurn = this.#freshBytes <= this.#turnBytes;
		const object = (isFreshTurn ? this.#nextFresh() : undefined) ?? this.#nextInTurn(options) ?? this.#nextFresh();
		if (object === undefined) {
			return undefined;
		}
		this.#fresh.delete(object.path);
		this.#marks.set(object.path, {pass: this.#pass, revision: object.revision, atMs: options.nowMs});
		if (this.#fresh.size === 0) {
			this.#freshBytes = 0;
			this.#turnBytes = 0;
		}
		return object;
	}

	/** Objects in the order in which they will be on air, each once, at most `limit`. */
	upcoming(limit: number): PlanObject[] {
		const from = this.#indexAfter(this.#cursor);
		const turn = [...this.#objects.slice(from, from + limit), ...this.#objects.slice(0, Math.min(from, limit))];
		const unique = new Map(
			[...[...this.#fresh.values()].slice(0, limit), ...turn].map((object) => [object.path, object]),
		);
		return [...unique.values()].slice(0, limit);
	}

	#nextFresh(): PlanObject | undefined {
		const object = this.#fresh.values().next().value;
		this.#freshBytes += object?.wireBytes ?? 0;
		return object;
	}

	#nextInTurn({nowMs, minimumGapMs}: {readonly nowMs: number; readonly minimumGapMs: number}): PlanObject | undefined {
		while (this.#passesLeft > 0) {
			for (let index = this.#indexAfter(this.#cursor); index < this.#objects.length; index += 1) {
				const object = this.#objects[index];
				if (object === undefined) {
					break;
				}
				this.#cursor = object.order;
				if (this.#isDue(object, nowMs, minimumGapMs)) {
					this.#turnBytes += object.wireBytes;
					return object;
				}
			}
			this.#passesLeft -= 1;
			this.#pass += 1;
			this.#cursor = -1;
		}
		return undefined;
	}

	#isDue(object: PlanObject, nowMs: number, minimumGapMs: number): boolean {
		const mark = this.#marks.get(object.path);
		return (
			mark === undefined ||
			mark.revision !== object.revision ||
			(mark.pass !== this.#pass && nowMs - mark.atMs >= minimumGapMs)
		);
	}

	/** First index whose order is greater. */
	#indexAfter(order: number): number {
		let low = 0;
		let high = this.#objects.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if ((this.#objects[middle]?.order ?? 0) > order) {
				high = middle;
			} else {
				low = middle + 1;
			}
		}
		return low;
	}
}
