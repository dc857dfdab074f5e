import {CodedError} from '#appliance/error/coded-error.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {Reading, ReadingStats, Tuner} from '#native/dvb/tuner.ts';
import type {StbErrorCode} from '#stb/error-code.ts';
import type {DamageCounts} from '#stb/tuner/damage-meter.ts';

/** What takes a stream and sends its datagrams to their groups on the loopback: native/link's decapsulator. */
export type DatagramSource = AsyncDisposable & {
	/** False when too much waits already. */
	readonly write: (bytes: Uint8Array) => boolean;
	readonly stats: () => {readonly damage: DamageCounts; readonly datagrams: number};
};

export type Pump = AsyncDisposable & {
	readonly stats: () => ReadingStats & {readonly damage: DamageCounts; readonly datagrams: number};
	/** Why nothing is read any more; undefined while all is well, and at the end of a recording. */
	readonly failure: CodedError<StbErrorCode> | undefined;
};

/** So long until a decapsulator whose queue is full is asked again. */
const pauseMs = 5;

/** Carries what a tuner receives into a decapsulator until it is disposed of. */
export const openPump = (options: {
	readonly tuner: Pick<Tuner, 'read'>;
	readonly openSource: () => DatagramSource;
	readonly signal: AbortSignal;
}): Pump => {
	const stop = new AbortController();
	const signal = AbortSignal.any([options.signal, stop.signal]);
	const reading = options.tuner.read({pids: 'all', signal});
	const source = options.openSource();
	const running = carry(reading, source, signal);
	let failure: Pump['failure'];
	const ended = running.catch((cause: unknown) => {
		if (!signal.aborted) {
			failure = new CodedError<StbErrorCode>('STB_TUNER_READING_FAILED', {
				message: 'The tuner is read no more.',
				cause,
			});
		}
	});
	return {
		stats: () => {
			const {damage, datagrams} = source.stats();
			return {...reading.stats(), damage, datagrams};
		},
		get failure() {
			return failure;
		},
		[Symbol.asyncDispose]: async () => {
			stop.abort();
			await ended;
			await reading[Symbol.asyncDispose]();
			await source[Symbol.asyncDispose]();
		},
	};
};

const carry = async (reading: Reading<Buffer>, source: DatagramSource, signal: AbortSignal): Promise<void> => {
	for await (const bytes of reading) {
		while (!source.write(bytes)) {
			await sleep(pauseMs, {signal});
		}
	}
};

/** As a pump, for datagrams that the kernel takes out by itself: it holds the net interface. */
export const openKernelCarriage = (openInterface: () => Disposable): Pump => {
	const held = openInterface();
	return {
		stats: () => ({bytes: 0, overruns: 0, dropped: 0, damaged: 0, damage: {}, datagrams: 0}),
		failure: undefined,
		[Symbol.asyncDispose]: () => {
			held[Symbol.dispose]();
			return Promise.resolve();
		},
	};
};
