import {PassThrough, type Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {createGzip} from 'node:zlib';
import {type Pack, pack} from 'tar-stream';
import {
	type Collector,
	type CollectorOutcome,
	collectorDeadlineMs,
	entryBytesMax,
} from '#appliance/diagnostics/bundle/collector.ts';
import type {DiagnosticsErrorCode} from '#appliance/diagnostics/error-code.ts';
import {CodedError, errorCode, errorMessage} from '#appliance/error/coded-error.ts';
import {type Clock, systemClock} from '#appliance/time/clock.ts';

/** What all entries together may take before compression. */
export const bundleBytesMax = 48 * 1024 ** 2;
/**
 * Of a bundle that has much time, what a collector without a time of its own may have: a slow box needs longer for
 * everything. One with a time of its own has more by the same factor.
 */
const collectorShare = 0.25;
const concurrency = 3;
const errorTextMax = 500;

export type BundleOptions = {
	readonly collectors: readonly Collector[];
	/** Takes secrets out of every text. */
	readonly redact: (text: string) => string;
	/** When the bundle ends with what there is by then. */
	readonly deadlineMs: number;
	readonly signal: AbortSignal;
	/** For the manifest: which box, which release. */
	readonly facts: Readonly<Record<string, unknown>>;
	readonly bytesMax?: number;
	readonly clock?: Clock;
	readonly onProgress?: (fraction: number) => void;
};

/**
 * A `.tar.gz` as a stream: each entry is written when its collector is done, and the manifest, which says what failed and
 * why, last. Ends by the deadline whatever hangs; only the signal makes it fail.
 */
export const makeBundle = (options: BundleOptions): Readable => {
	const tar = pack();
	const output = new PassThrough();
	void pipeline(tar, createGzip(), output).catch((error: unknown) => output.destroy(error as Error));
	void fill(tar, options).catch((error: unknown) => tar.destroy(error as Error));
	return output;
};

const fill = async (tar: Pack, options: BundleOptions): Promise<void> => {
	const {collectors, redact, clock = systemClock, signal, bytesMax = bundleBytesMax} = options;
	const startedMs = clock.nowMs();
	const deadline = AbortSignal.timeout(options.deadlineMs);
	const slowness = Math.max(1, (options.deadlineMs * collectorShare) / collectorDeadlineMs);
	const queue = [...collectors];
	const outcomes: CollectorOutcome[] = [];
	let leftBytes = bytesMax;
	const work = async (): Promise<void> => {
		for (let collector = queue.shift(); collector !== undefined; collector = queue.shift()) {
			signal.throwIfAborted();
			const {content, ...outcome} = await runCollector(collector, {deadline, slowness, signal, redact, clock});
			const kept = content.subarray(0, leftBytes);
			leftBytes -= kept.length;
			if (content.length > 0) {
				await writeEntry(tar, {name: collector.name, content: kept, nowMs: clock.nowMs()});
			}
			outcomes.push({...outcome, sizeBytes: kept.length, truncated: outcome.truncated || kept.length < content.length});
			options.onProgress?.(outcomes.length / collectors.length);
		}
	};
	await Promise.all(Array.from({length: concurrency}, work));
	const manifest = {
		version: 1,
		...options.facts,
		startedMs,
		endedMs: clock.nowMs(),
		deadlineMs: options.deadlineMs,
		entries: outcomes.toSorted((one, other) => (one.name < other.name ? -1 : 1)),
	};
	const content = Buffer.from(redact(`${JSON.stringify(manifest, undefined, '\t')}\n`));
	await writeEntry(tar, {name: 'manifest.json', content, nowMs: clock.nowMs()});
	tar.finalize();
};

type CollectorRun = CollectorOutcome & {readonly content: Buffer};

const runCollector = async (
	collector: Collector,
	{
		deadline,
		slowness,
		signal,
		redact,
		clock,
	}: {
		readonly deadline: AbortSignal;
		/** How often its own time it may take. */
		readonly slowness: number;
		readonly signal: AbortSignal;
		readonly redact: (text: string) => string;
		readonly clock: Clock;
	},
): Promise<CollectorRun> => {
	const {name, bytesMax = entryBytesMax} = collector;
	const startedMs = clock.monotonicMs();
	const patienceMs = Math.ceil((collector.deadlineMs ?? collectorDeadlineMs) * slowness);
	const own = AbortSignal.any([deadline, signal, AbortSignal.timeout(patienceMs)]);
	let content: Buffer = Buffer.alloc(0);
	let truncated = false;
	let error: CollectorOutcome['error'];
	try {
		const collected = await unlessAborted(collector, {signal: own, bytesMax});
		content = typeof collected === 'string' ? Buffer.from(redact(collected)) : collected;
		truncated = content.length > bytesMax;
		content = content.subarray(0, bytesMax);
	} catch (cause) {
		signal.throwIfAborted();
		error = {
			code: (own.aborted ? 'DIAGNOSTICS_DEADLINE' : errorCode(cause)) ?? 'DIAGNOSTICS_COMMAND_FAILED',
			message: own.aborted ? 'it did not answer in time' : redact(errorMessage(cause)).slice(0, errorTextMax),
		};
	}
	const tookMs = Math.round(clock.monotonicMs() - startedMs);
	return {name, tookMs, sizeBytes: content.length, truncated, content, ...(error === undefined ? {} : {error})};
};

/** A collector that does not listen to its signal is left alone with what it waits for. */
const unlessAborted = async (
	collector: Collector,
	options: {readonly signal: AbortSignal; readonly bytesMax: number},
): Promise<string | Buffer> => {
	const {signal} = options;
	const late = Promise.withResolvers<never>();
	const abort = (): void =>
		late.reject(
			new CodedError<DiagnosticsErrorCode>('DIAGNOSTICS_DEADLINE', {
				message: `${collector.name} did not come in time.`,
				cause: signal.reason,
			}),
		);
	signal.addEventListener('abort', abort, {once: true});
	if (signal.aborted) {
		abort();
	}
	const collected = signal.aborted ? late.promise : collector.collect(options);
	// The loser of the race may still fail; nobody waits for it any more.
	void collected.catch(() => undefined);
	try {
		return await Promise.race([collected, late.promise]);
	} finally {
		signal.removeEventListener('abort', abort);
		void late.promise.catch(() => undefined);
	}
};

const writeEntry = async (
	tar: Pack,
	{name, content, nowMs}: {readonly name: string; readonly content: Buffer; readonly nowMs: number},
): Promise<void> => {
	const {promise, resolve, reject} = Promise.withResolvers<void>();
	tar.entry({name, mtime: new Date(nowMs), mode: 0o640}, content, (error) =>
		error === null || error === undefined ? resolve() : reject(error),
	);
	await promise;
};
