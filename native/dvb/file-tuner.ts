import {open} from 'node:fs/promises';
import {setTimeout as sleep} from 'node:timers/promises';
import {NativeError} from '../native-error.ts';
import {lockOnly, refusePes, requireTransportStream} from './feed-tuner.ts';
import {packetsOf, type StreamFilter, sectionsOf} from './packet-filter.ts';
import {packetBytes} from './section-assembler.ts';
import type {Reading, Tuner} from './tuner.ts';

export type FileTunerOptions = {
	readonly format: Tuner['format'];
	readonly path: string;
	/** As fast as it is asked for when absent. */
	readonly bitrateBps?: number | undefined;
	/** From the beginning again at its end, as a carousel. */
	readonly repeat?: boolean | undefined;
};

/** A multiple of a packet's bytes. */
const readBytes = packetBytes * 348;

/** A recording as a tuner that is always locked. Each reading begins at the beginning, and waits for who reads it. */
export const openFileTuner = (options: FileTunerOptions): Tuner => {
	const {format} = options;
	const stop = new AbortController();
	const attach = (signal: AbortSignal, filterInto: (push: (item: Buffer) => void) => StreamFilter): Reading<Buffer> => {
		if (stop.signal.aborted) {
			throw new NativeError('NATIVE_DVB_CLOSED', 'the tuner is closed');
		}
		return asReading(options, {signal, closed: stop.signal, filterInto});
	};
	const close = async (): Promise<void> => stop.abort();
	return {
		...{name: 'file', format, close},
		tune: async (_tuning, _antenna, {signal}) => signal.throwIfAborted(),
		statistics: async () => lockOnly(true),
		read: ({pids, signal}) => attach(signal, (push) => (pids === 'all' ? push : packetsOf(pids, push))),
		sections: ({signal, ...request}) => {
			requireTransportStream(format);
			return attach(signal, (push) => sectionsOf(request, push));
		},
		pes: refusePes,
		[Symbol.asyncDispose]: close,
	};
};

type Attachment = {
	readonly signal: AbortSignal;
	readonly closed: AbortSignal;
	readonly filterInto: (push: (item: Buffer) => void) => StreamFilter;
};

const asReading = (options: FileTunerOptions, {signal, closed, filterInto}: Attachment): Reading<Buffer> => {
	const counts = {bytes: 0};
	const generator = play(options, {signal, closed, counts, filterInto});
	const reading: Reading<Buffer> = {
		next: () => generator.next(),
		return: () => generator.return(undefined),
		stats: () => ({bytes: counts.bytes, overruns: 0, dropped: 0, damaged: 0}),
		[Symbol.asyncIterator]: () => reading,
		[Symbol.asyncDispose]: async () => {
			await generator.return(undefined);
		},
	};
	return reading;
};

const play = async function* (
	{path, bitrateBps, repeat = false}: FileTunerOptions,
	{signal, closed, counts, filterInto}: Attachment & {readonly counts: {bytes: number}},
): AsyncGenerator<Buffer, undefined> {
	signal.throwIfAborted();
	const found: Buffer[] = [];
	const filter = filterInto((item) => found.push(item));
	await using file = await open(path);
	const startedMs = performance.now();
	let position = 0;
	while (!closed.aborted) {
		const {bytesRead, buffer} = await file.read(Buffer.allocUnsafe(readBytes), 0, readBytes, position);
		if (bytesRead === 0) {
			if (!repeat || position === 0) {
				return undefined;
			}
			position = 0;
			continue;
		}
		position += bytesRead;
		counts.bytes += bytesRead;
		filter(buffer.subarray(0, bytesRead));
		if (bitrateBps !== undefined) {
			const dueMs = startedMs + (counts.bytes * 8000) / bitrateBps;
			await sleep(Math.max(0, dueMs - performance.now()), undefined, {signal}).catch(() => signal.throwIfAborted());
		}
		signal.throwIfAborted();
		yield* found.splice(0);
	}
	return undefined;
};
