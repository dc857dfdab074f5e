import type {Clock} from '#appliance/time/clock.ts';

const windowMs = 10_000;

/** What live took of the rate lately, so that the plan leaves it that much. */
export class LiveRate {
	readonly #clock: Clock;
	#samples: {readonly atMs: number; readonly bytes: number}[] = [];

	constructor({clock}: {readonly clock: Clock}) {
		this.#clock = clock;
	}

	note(bytes: number): void {
		this.#samples.push({atMs: this.#clock.monotonicMs(), bytes});
		this.#prune();
	}

	bps(): number {
		this.#prune();
		return (this.#samples.reduce((total, {bytes}) => total + bytes, 0) * 8000) / windowMs;
	}

	#prune(): void {
		const fromMs = this.#clock.monotonicMs() - windowMs;
		const first = this.#samples.findIndex(({atMs}) => atMs >= fromMs);
		this.#samples = first === -1 ? [] : this.#samples.slice(first);
	}
}
