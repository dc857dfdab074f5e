/** Bins of one series at most; when they are used up, two become one. */
const binsMax = 240;

/** Bytes over time, in bins that widen as the capture goes on. */
export class RateSeries {
	#binMs: number;
	#startMs: number | undefined;
	#bins: number[] = [];

	constructor(binMs = 250) {
		this.#binMs = binMs;
	}

	/** Time may stand still or go back a little, as captures of several interfaces have it. */
	add(timeMs: number, bytes: number): void {
		this.#startMs ??= timeMs;
		let bin = Math.max(0, Math.floor((timeMs - this.#startMs) / this.#binMs));
		while (bin >= binsMax) {
			this.#bins = Array.from({length: Math.ceil(this.#bins.length / 2)}, (_, index) => {
				return (this.#bins[index * 2] ?? 0) + (this.#bins[index * 2 + 1] ?? 0);
			});
			this.#binMs *= 2;
			bin = Math.floor((timeMs - this.#startMs) / this.#binMs);
		}
		this.#bins[bin] = (this.#bins[bin] ?? 0) + bytes;
	}

	/** Without the bin in which the capture ended, unless it is the only one: it would look like a fall of the rate. */
	get series(): {readonly startMs: number; readonly binMs: number; readonly bps: readonly number[]} {
		const bps = Array.from(this.#bins, (bytes) => ((bytes ?? 0) * 8000) / this.#binMs);
		return {startMs: this.#startMs ?? 0, binMs: this.#binMs, bps: bps.length > 1 ? bps.slice(0, -1) : bps};
	}
}
