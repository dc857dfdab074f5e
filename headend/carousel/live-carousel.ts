import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {ObjectPreparer, type PreparedObject} from '#headend/carousel/prepare-objects.ts';
import type {TransportSession} from '#headend/carousel/transport-session.ts';
import type {CatalogueEntry} from '#headend/catalogue/catalogue-entry.ts';
import {runLoop} from '#headend/runner/run-loop.ts';
import {Wake} from '#headend/runner/wake.ts';

/** Live objects that wait to be sent; when live outruns the rate the oldest are given up, for they are stale first. */
const pendingMax = 512;
/** Segments of which further transmissions are due. */
const repeatsPendingMax = 512;
const tickMs = 100;

export type LiveCarouselOptions = {
	readonly session: TransportSession;
	readonly clock: Clock;
	readonly logger: Logger;
	readonly gzip: boolean;
	readonly manifestRefreshMs: number;
	readonly initRefreshMs: number;
	readonly segmentRepeats: number;
	readonly segmentDurationMs: number;
	readonly entryOf: (path: string) => CatalogueEntry | undefined;
	readonly hold: (filePath: string) => Disposable;
	readonly onSent: (sent: {readonly entry: CatalogueEntry; readonly wireBytes: number}) => void;
};

/** What a set-top needs that tunes in now: sent again and again while its channel is on. */
type Standing = {readonly prepared: PreparedObject; readonly everyMs: number; lastMs: number};
type Repeat = {readonly entry: CatalogueEntry; readonly dueMs: number; readonly left: number};

/** Sends live objects the moment they come, and keeps manifests and initialisation segments fresh on air. */
export class LiveCarousel {
	readonly #options: LiveCarouselOptions;
	readonly #preparer: ObjectPreparer;
	readonly #wake = new Wake();
	readonly #pending = new Map<string, CatalogueEntry>();
	readonly #standing = new Map<string, Standing>();
	#repeats: Repeat[] = [];
	#givenUp = 0;

	constructor(options: LiveCarouselOptions) {
		this.#options = options;
		this.#preparer = new ObjectPreparer({...options, onChanged: () => undefined});
	}

	/** Live objects that were stale before there was room for them. */
	get givenUp(): number {
		return this.#givenUp;
	}

	put(entry: CatalogueEntry): void {
		this.#pending.delete(entry.path);
		this.#pending.set(entry.path, entry);
		const oldest = this.#pending.size > pendingMax ? this.#pending.keys().next().value : undefined;
		if (oldest !== undefined) {
			this.#pending.delete(oldest);
			this.#givenUp += 1;
		}
		this.#wake.wake();
	}

	remove(path: string): void {
		this.#pending.delete(path);
		this.#standing.delete(path);
		this.#preparer.forget(path);
	}

	/** The FDT of the live session, again. */
	repeatFdt(): void {
		this.#options.session.repeat(this.#standingFiles());
	}

	run({signal}: {readonly signal: AbortSignal}): Promise<void> {
		const {logger} = this.#options;
		return runLoop({name: 'live', wake: this.#wake, intervalMs: tickMs, signal, logger, step: () => this.#step()});
	}

	async #step(): Promise<void> {
		const entries = [...this.#pending.values()];
		this.#pending.clear();
		const nowMs = this.#options.clock.monotonicMs();
		const fresh = this.#stillCurrent(await this.#preparer.prepare(entries));
		for (const prepared of fresh) {
			this.#note(prepared, nowMs);
		}
		const dueRepeats = this.#repeats.filter(({dueMs}) => dueMs <= nowMs);
		this.#repeats = this.#repeats.filter(({dueMs}) => dueMs > nowMs);
		const current = dueRepeats.filter(({entry}) => this.#isCurrent(entry));
		const again = this.#stillCurrent(await this.#preparer.prepare(current.map(({entry}) => entry)));
		for (const {entry, left} of current) {
			this.#repeatLater(entry, left - 1, nowMs);
		}
		this.#transmit([...fresh, ...this.#refresh(nowMs), ...again]);
	}

	#isCurrent(entry: CatalogueEntry): boolean {
		return this.#options.entryOf(entry.path)?.revision === entry.revision;
	}

	/** What was deleted or replaced while it was made ready would otherwise stand for ever. */
	#stillCurrent(prepared: readonly PreparedObject[]): readonly PreparedObject[] {
		for (const {entry} of prepared.filter((object) => !this.#isCurrent(object.entry))) {
			this.#preparer.forget(entry.path);
		}
		return prepared.filter(({entry}) => this.#isCurrent(entry));
	}

	#note(prepared: PreparedObject, nowMs: number): void {
		const {entry} = prepared;
		if (entry.form === undefined) {
			this.#repeatLater(entry, this.#options.segmentRepeats - 1, nowMs);
		} else {
			const everyMs = entry.form === 'init' ? this.#options.initRefreshMs : this.#options.manifestRefreshMs;
			this.#standing.set(entry.path, {prepared, everyMs, lastMs: nowMs});
		}
	}

	#repeatLater(entry: CatalogueEntry, left: number, nowMs: number): void {
		if (left > 0 && this.#repeats.length < repeatsPendingMax) {
			const dueMs = nowMs + this.#options.segmentDurationMs / (this.#options.segmentRepeats + 1);
			this.#repeats.push({entry, left, dueMs});
		}
	}

	/** What is due and not on its way anyhow. */
	#refresh(nowMs: number): PreparedObject[] {
		const due = [...this.#standing.values()].filter(
			({prepared, everyMs, lastMs}) =>
				nowMs - lastMs >= everyMs &&
				this.#isCurrent(prepared.entry) &&
				this.#options.session.jobsOf(prepared.file.toi) === 0,
		);
		return due.map((standing) => {
			standing.lastMs = nowMs;
			return standing.prepared;
		});
	}

	#transmit(objects: readonly PreparedObject[]): void {
		if (objects.length === 0) {
			return;
		}
		this.#options.session.transmit(
			objects.map(({entry, file}) => {
				const hold = this.#options.hold(entry.filePath);
				return {
					file,
					lane: 'live',
					label: {path: entry.path, priority: entry.priority, sizeBytes: entry.sizeBytes},
					onEnd: ({kind, wireBytes}) => {
						hold[Symbol.dispose]();
						if (kind === 'sent') {
							this.#options.onSent({entry, wireBytes});
						}
					},
				};
			}),
			this.#standingFiles(),
		);
	}

	#standingFiles() {
		return [...this.#standing.values()].map(({prepared}) => prepared.file);
	}
}
