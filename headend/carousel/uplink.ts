import type {Priority} from '#appliance/contract/catalogue-schema.ts';
import {errorMessage} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {FluteSendEvent} from '#native/flute/sender-event.ts';

export type LaneName = 'signalling' | 'live' | 'high' | 'medium' | 'low';

/** One transmission of one object. The fields are the native sender's; see native/flute/sender.ts. */
export type UplinkJob = {
	readonly lane: LaneName;
	readonly destination: {readonly group: string; readonly port: number};
	readonly tsi: number;
	readonly toi: number;
	readonly source:
		| {readonly kind: 'file'; readonly path: string; readonly sizeBytes?: number}
		| {readonly kind: 'bytes'; readonly bytes: Uint8Array};
	readonly fec: {
		readonly encodingId: 0 | 5;
		readonly symbolBytes: number;
		readonly sourceBlockSymbolsMax: number;
		readonly repairSymbolsPerBlock: number;
	};
	readonly fdt?: {readonly instanceId: number; readonly version: 1 | 2};
	readonly contentEncoding?: 'gzip' | 'deflate' | 'zlib';
	readonly senderTime?: boolean;
	readonly closeObject?: boolean;
};

export type UplinkLane = {
	readonly name: string;
	readonly queued: number;
	readonly job?: number | undefined;
	readonly sentBytes: number;
	readonly totalBytes: number;
};

export type UplinkStats = {
	readonly packets: number;
	readonly wireBytes: number;
	readonly busyMs: number;
	readonly rateErrorRatio: number;
	readonly lanes: readonly UplinkLane[];
};

/** What the headend needs of the native sender; tests put a recorder in its place. */
export type UplinkSender = AsyncDisposable & {
	enqueue(job: UplinkJob): number;
	setRate(rateBps: number): void;
	stats(): UplinkStats;
};

export type OpenSender = (onEvents: (events: readonly FluteSendEvent[]) => void) => UplinkSender;

/** What a job is to people. */
export type JobLabel = {readonly path: string; readonly priority: Priority; readonly sizeBytes: number};
export type OnAir = JobLabel & {readonly toi: number; readonly sentRatio: number};

export type JobEnd = {readonly kind: 'sent' | 'failed'; readonly wireBytes: number};

/**
 * Brings each job's end back to who ordered it. Callbacks only note and wake; the work is done in the runner of the
 * executor that ordered the job.
 */
export class Uplink implements AsyncDisposable {
	readonly #sender: UplinkSender;
	readonly #logger: Logger;
	readonly #waiting = new Map<
		number,
		{readonly job: UplinkJob; readonly onEnd: (end: JobEnd) => void; readonly label: JobLabel | undefined}
	>();
	/** Ends that overtook the return of `enqueue`. */
	readonly #early = new Map<number, JobEnd>();
	#enqueueing = false;
	#disposed = false;

	constructor(options: {readonly openSender: OpenSender; readonly logger: Logger}) {
		this.#logger = options.logger;
		this.#sender = options.openSender((events) => this.#take(events));
	}

	/** Refused by the sender (its queue is full, it has failed) is told as a failed end, never thrown. */
	enqueue(job: UplinkJob, onEnd: (end: JobEnd) => void, label?: JobLabel): void {
		if (this.#disposed) {
			return;
		}
		let id: number;
		this.#enqueueing = true;
		try {
			id = this.#sender.enqueue(job);
		} catch (error) {
			this.#logger.error({err: error, tsi: job.tsi, toi: job.toi}, 'the sender refused an object');
			queueMicrotask(() => onEnd({kind: 'failed', wireBytes: 0}));
			return;
		} finally {
			this.#enqueueing = false;
		}
		const early = this.#early.get(id);
		if (early === undefined) {
			this.#waiting.set(id, {job, onEnd, label});
		} else {
			this.#early.delete(id);
			queueMicrotask(() => onEnd(early));
		}
	}

	setRate(rateBps: number): void {
		if (!this.#disposed) {
			this.#sender.setRate(rateBps);
		}
	}

	stats(): UplinkStats {
		return this.#sender.stats();
	}

	/** The objects that are leaving right now, one per lane at most; signalling is left out. */
	onAir(): OnAir[] {
		return this.stats().lanes.flatMap(({job, sentBytes, totalBytes}) => {
			const running = job === undefined ? undefined : this.#waiting.get(job);
			return running?.label === undefined
				? []
				: [
						{
							...running.label,
							toi: running.job.toi,
							sentRatio: totalBytes === 0 ? 1 : Math.min(1, sentBytes / totalBytes),
						},
					];
		});
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (this.#disposed) {
			return;
		}
		this.#disposed = true;
		await this.#sender[Symbol.asyncDispose]();
		this.#waiting.clear();
	}

	#take(events: readonly FluteSendEvent[]): void {
		for (const event of events) {
			if (event.kind === 'started') {
				continue;
			}
			if (event.kind === 'failed') {
				this.#logger.warn({job: event.job, code: event.code}, `a transmission failed: ${event.message}`);
			}
			const end: JobEnd = {kind: event.kind, wireBytes: event.kind === 'sent' ? event.wireBytes : 0};
			const waiting = this.#waiting.get(event.job);
			this.#waiting.delete(event.job);
			if (waiting !== undefined) {
				this.#callBack(waiting.onEnd, end);
			} else if (this.#enqueueing) {
				this.#early.set(event.job, end);
			}
		}
	}

	/** One listener's fault must not take the events of the others with it. */
	#callBack(onEnd: (end: JobEnd) => void, end: JobEnd): void {
		try {
			onEnd(end);
		} catch (error) {
			this.#logger.error({err: error}, `an end of transmission was not taken: ${errorMessage(error)}`);
		}
	}
}
