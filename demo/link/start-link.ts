import {once} from 'node:events';
import {Worker} from 'node:worker_threads';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {DemoErrorCode} from '#demo/error-code.ts';
import {type LinkStats, linkCounters} from '#demo/link/link-stats.ts';
import type {LossOptions} from '#demo/link/loss-model.ts';

/** How long the worker may take to join its groups; a loaded machine compiles the worker's modules slowly. */
const startTimeoutMs = 20_000;

/** Packets sent to group:(port + portOffset) come out at group:port, less what the link loses. */
export type LinkChannel = {
	readonly group: string;
	readonly port: number;
	readonly portOffset: number;
	/** Only what comes from there is heard. */
	readonly source?: string | undefined;
};

export type LinkOptions = {
	readonly channels: readonly LinkChannel[];
	readonly model: LossOptions;
	/** Interface that is received from and sent to. */
	readonly interfaceAddress?: string;
};

export type Link = AsyncDisposable & {
	stats(): LinkStats;
	/** Loses everything from now on for this long. */
	fade(durationMs: number): void;
	/** Replaces the model; fades count from now. */
	setModel(model: LossOptions): void;
};

export type LinkOrder =
	| {readonly kind: 'fade'; readonly durationMs: number}
	| {readonly kind: 'model'; readonly model: LossOptions};

/**
 * The stand-in for the satellite: a thread of its own that knows UDP and nothing else, so that no mistake of the
 * sender's or the receiver's code can hide in the loss that they are tried with.
 */
export const startLink = async (options: LinkOptions): Promise<Link> => {
	const counters = new SharedArrayBuffer(linkCounters.length * BigUint64Array.BYTES_PER_ELEMENT);
	const counts = new BigUint64Array(counters);
	const worker = new Worker(new URL('./link-worker.ts', import.meta.url), {
		workerData: {interfaceAddress: '127.0.0.1', ...options, counters},
	});
	try {
		// A worker that cannot bind emits 'error', which rejects this wait with its reason.
		await once(worker, 'message', {signal: AbortSignal.timeout(startTimeoutMs)});
	} catch (error) {
		await worker.terminate();
		throw new CodedError<DemoErrorCode>('DEMO_LINK_START_FAILED', {
			message: 'The lossy link could not join its groups; is another program on these ports?',
			cause: error,
			details: {channels: options.channels},
		});
	}
	worker.unref();
	const order = (message: LinkOrder): void => worker.postMessage(message);
	return {
		stats: () => {
			const values = linkCounters.map((name, index) => [name, Number(Atomics.load(counts, index))] as const);
			const stats = Object.fromEntries(values) as Omit<LinkStats, 'injectedRatio'>;
			return {...stats, injectedRatio: stats.packets === 0 ? 0 : (stats.lost + stats.faded) / stats.packets};
		},
		fade: (durationMs) => order({kind: 'fade', durationMs}),
		setModel: (model) => order({kind: 'model', model}),
		[Symbol.asyncDispose]: async () => {
			await worker.terminate();
		},
	};
};
