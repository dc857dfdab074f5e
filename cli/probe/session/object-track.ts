import type {BlockGeometry} from '#cli/probe/session/block-geometry.ts';

/** One transmission of an object, as far as the capture has it. */
export type Pass = {
	readonly startMs: number;
	readonly endMs: number;
	readonly seen: number;
	readonly lost: number;
	/** False where the capture begins or ends within it. */
	readonly isWhole: boolean;
};

type OpenPass = {
	readonly startMs: number;
	endMs: number;
	readonly marks: Uint8Array;
	seen: number;
	first: number;
	last: number;
};

/** A symbol that comes again so near to the newest is a duplicate of the network, not the next transmission. */
const duplicateReach = 64;
/** Packets that overtake each other do so within this. */
const reorderMs = 100;
/** Kept for the picture; beyond it passes are only counted. */
const passesMax = 4096;

/** Follows the symbols of one object: transmissions, what is missing in each, and the time between them. */
export class ObjectTrack {
	readonly #geometry: BlockGeometry;
	readonly #passes: Pass[] = [];
	#open: OpenPass | undefined;
	#passCount = 0;
	#repairSymbols = 0;
	#duplicates = 0;
	#lost = 0;
	#seen = 0;
	#cycleMinMs = Number.POSITIVE_INFINITY;
	#cycleMaxMs = 0;
	#firstStartMs = 0;
	#lastStartMs = 0;

	constructor(geometry: BlockGeometry) {
		this.#geometry = geometry;
	}

	take(symbol: {readonly block: number; readonly index: number}, timeMs: number): void {
		const place = this.#geometry.placeOf(symbol.block, symbol.index);
		if (place === undefined) {
			this.#repairSymbols += 1;
			if (this.#open !== undefined) {
				this.#open.endMs = timeMs;
			}
			return;
		}
		if (this.#open !== undefined && this.#open.marks[place] === 1) {
			if (this.#geometry.symbols > duplicateReach && Math.abs(this.#open.last - place) < duplicateReach) {
				this.#duplicates += 1;
				return;
			}
			this.#end('repeated');
		} else if (this.#open !== undefined && this.#isNext(this.#open, place, timeMs)) {
			this.#end('cut');
		}
		this.#open ??= this.#begin(place, timeMs);
		const open = this.#open;
		open.marks[place] = 1;
		open.seen += 1;
		open.first = Math.min(open.first, place);
		open.last = Math.max(open.last, place);
		open.endMs = timeMs;
	}

	/** The capture is over: what would still have come of the last transmission is not lost. */
	finish(): void {
		this.#end('finished');
	}

	get facts() {
		const cycles = Math.max(0, this.#passCount - 1);
		return {
			passes: this.#passes,
			transmissions: this.#passCount,
			sourceSymbols: this.#seen,
			repairSymbols: this.#repairSymbols,
			duplicates: this.#duplicates,
			lostSymbols: this.#lost,
			cycleMs:
				cycles === 0
					? undefined
					: {min: this.#cycleMinMs, max: this.#cycleMaxMs, mean: (this.#lastStartMs - this.#firstStartMs) / cycles},
		};
	}

	#begin(place: number, timeMs: number): OpenPass {
		if (this.#passCount === 0) {
			this.#firstStartMs = timeMs;
		} else {
			this.#cycleMinMs = Math.min(this.#cycleMinMs, timeMs - this.#lastStartMs);
			this.#cycleMaxMs = Math.max(this.#cycleMaxMs, timeMs - this.#lastStartMs);
		}
		this.#lastStartMs = timeMs;
		this.#passCount += 1;
		const marks = new Uint8Array(this.#geometry.symbols);
		return {startMs: timeMs, endMs: timeMs, marks, seen: 0, first: place, last: place};
	}

	/** Whether what the capture began within is over: the next transmission begins before where that one was met. */
	#isNext(open: OpenPass, place: number, timeMs: number): boolean {
		return (
			this.#passCount === 1 &&
			place < open.first &&
			(open.first - place > duplicateReach || timeMs - open.endMs > reorderMs)
		);
	}

	/** Of a transmission that was cut nothing is judged: it may have begun long before. */
	#end(how: 'repeated' | 'cut' | 'finished'): void {
		const open = this.#open;
		if (open === undefined) {
			return;
		}
		this.#open = undefined;
		const before = this.#passCount === 1 ? 0 : open.first;
		const after = how === 'finished' ? 0 : this.#geometry.symbols - 1 - open.last;
		const lost = how === 'cut' ? 0 : open.last - open.first + 1 - open.seen + before + after;
		this.#lost += lost;
		this.#seen += open.seen;
		if (this.#passes.length < passesMax) {
			const {startMs, endMs, seen} = open;
			this.#passes.push({startMs, endMs, seen, lost, isWhole: seen === this.#geometry.symbols});
		}
	}
}
