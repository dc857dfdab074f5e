import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {bytesToTransportObject} from '#headend/carousel/transport-object.ts';
import type {TransportSession} from '#headend/carousel/transport-session.ts';
import type {FdtFile} from '#headend/carousel/write-fdt.ts';
import {runLoop} from '#headend/runner/run-loop.ts';
import {Wake} from '#headend/runner/wake.ts';
import {wireBytesOf} from '#headend/schedule/wire-size.ts';

const tickMs = 100;

export type SignallingSource = {
	readonly uri: string;
	readonly contentType: string;
	readonly bytes: Uint8Array;
	/** The longest that a receiver should wait for it. */
	readonly acquisitionMs: number;
};

type Repeated = {readonly file: FdtFile; readonly everyMs: number; lastMs: number};

/** Repeats the announcement channel's objects, each in its own time, with their FDT before them. */
export class SignallingCarousel {
	readonly #session: TransportSession;
	readonly #clock: Clock;
	readonly #logger: Logger;
	readonly #gzip: boolean;
	readonly #intervalMs: number;
	readonly #wake = new Wake();
	#objects: readonly Repeated[] = [];

	constructor(options: {
		readonly session: TransportSession;
		readonly clock: Clock;
		readonly logger: Logger;
		readonly gzip: boolean;
		/** Nothing is repeated more often, whatever its acquisition time. */
		readonly intervalMs: number;
	}) {
		this.#session = options.session;
		this.#clock = options.clock;
		this.#logger = options.logger;
		this.#gzip = options.gzip;
		this.#intervalMs = options.intervalMs;
	}

	/** Replaces what is repeated; what changed goes on air at once. */
	async replace(sources: readonly SignallingSource[]): Promise<void> {
		const objects = await Promise.all(sources.map((source) => bytesToTransportObject(source, {gzip: this.#gzip})));
		const before = new Map(this.#objects.map((repeated) => [repeated.file.toi, repeated]));
		this.#objects = this.#session.describe(objects).map((file, index) => ({
			file,
			everyMs: Math.max(this.#intervalMs, sources[index]?.acquisitionMs ?? 0),
			lastMs: before.get(file.toi)?.lastMs ?? Number.NEGATIVE_INFINITY,
		}));
		this.#wake.wake();
	}

	/** What is repeated now, as a receiver has it once it is decoded. */
	get objects(): readonly {readonly uri: string; readonly sizeBytes: number; readonly sha256: string}[] {
		return this.#objects.map(({file: {object}}) => ({
			uri: object.contentLocation,
			sizeBytes: object.contentLength,
			sha256: object.entityTag.replaceAll('"', ''),
		}));
	}

	/** What the channel takes of the rate, its FDT included. */
	get rateBps(): number {
		return this.#objects.reduce((total, {file, everyMs}) => {
			const bytes = wireBytesOf(file.object.transferLength, file.fec) + 400;
			return total + (bytes * 8000) / everyMs;
		}, 0);
	}

	run({signal}: {readonly signal: AbortSignal}): Promise<void> {
		return runLoop({
			name: 'signalling',
			wake: this.#wake,
			intervalMs: tickMs,
			signal,
			logger: this.#logger,
			step: () => this.#step(),
		});
	}

	#step(): void {
		const nowMs = this.#clock.monotonicMs();
		const due = this.#objects.filter(
			({file, everyMs, lastMs}) => nowMs - lastMs >= everyMs - tickMs / 2 && this.#session.jobsOf(file.toi) === 0,
		);
		if (due.length === 0) {
			return;
		}
		this.#session.transmit(
			due.map((repeated) => {
				repeated.lastMs = nowMs;
				return {file: repeated.file, lane: 'signalling' as const, onEnd: () => undefined};
			}),
			this.#objects.map(({file}) => file),
		);
	}
}
