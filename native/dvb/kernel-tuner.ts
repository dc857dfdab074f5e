import {NativeError} from '../native-error.ts';
import {dvbAddon, type NativeBatch, type NativeReader, type TuningPlan} from './addon.ts';
import {createReading} from './reading.ts';
import type {Antenna, Reading, SatelliteTuning, SectionRequest, Tuner, TunerFacts} from './tuner.ts';

/** Two thirds of a second of the fastest transponder (200 Mbit/s): a busy machine may sleep so long. */
const streamBufferBytes = 16 * 1024 * 1024;
const sectionBufferBytes = 256 * 1024;
const streamReadBytes = 64 * 1024;
/** A section of private data is at most so long (ISO/IEC 13818-1 section 2.4.4.10). */
const sectionBytesMax = 4096;

/** The frontends of this machine. Those that somebody uses are listed, too. */
export const listTuners = (): Promise<readonly TunerFacts[]> => dvbAddon.listFrontends();

/**
 * What would be sent to the cable and the driver.
 * @throws NativeError NATIVE_DVB_ARGUMENT
 */
export const planTuning = (tuning: SatelliteTuning, antenna: Antenna): TuningPlan =>
	dvbAddon.planTuning(defined(tuning), nativeAntenna(antenna));

export type KernelTunerOptions = {
	readonly adapter: number;
	/** Default 0. */
	readonly frontend?: number | undefined;
	/** Default 0. */
	readonly demux?: number | undefined;
};

/**
 * Takes a frontend of the kernel.
 * @throws NativeError NATIVE_DVB_ABSENT, _BUSY, _DENIED, _GONE or _IO
 */
export const openKernelTuner = ({adapter, frontend = 0, demux = 0}: KernelTunerOptions): Tuner => {
	const native = new dvbAddon.Frontend({adapter, frontend});
	const readings = new Set<Reading<Buffer>>();
	let closed: Promise<void> | undefined;
	const open = (order: ReadingOrder & NativeOrder): Reading<Buffer> => {
		if (closed !== undefined) {
			throw new NativeError('NATIVE_DVB_CLOSED', 'the tuner is closed');
		}
		const reading: Reading<Buffer> = openReading({adapter, demux, ...order}, () => readings.delete(reading));
		readings.add(reading);
		return reading;
	};
	const close = (): Promise<void> => {
		// The kernel lets an adapter go only when nothing of it is open.
		closed ??= Promise.all([...readings].map((reading) => reading[Symbol.asyncDispose]())).then(() => native.close());
		return closed;
	};
	return {
		name: `adapter${adapter}/frontend${frontend}`,
		format: 'ts',
		tune: async (tuning, antenna, {signal}) => {
			signal.throwIfAborted();
			await native.tune(defined(tuning), nativeAntenna(antenna));
			signal.throwIfAborted();
		},
		statistics: () => native.statistics(),
		read: ({pids, signal}) =>
			open({
				...{kind: 'stream', signal, bufferBytes: streamBufferBytes, readBytesMax: streamReadBytes},
				...(pids === 'all' ? {all: true} : {pids}),
			}),
		sections: ({signal, ...request}) => open({...sectionOrder(request), signal}),
		pes: ({pid, signal}) =>
			open({kind: 'pes', pid, signal, bufferBytes: streamBufferBytes, readBytesMax: streamReadBytes}),
		close,
		[Symbol.asyncDispose]: close,
	};
};

const sectionOrder = ({pid, value, mask, checkCrc = true}: Omit<SectionRequest, 'signal'>) => ({
	...{kind: 'sections', pid, checkCrc, bufferBytes: sectionBufferBytes, readBytesMax: sectionBytesMax},
	...{value: value ?? new Uint8Array(0), mask: mask ?? new Uint8Array(value?.length ?? 0).fill(0xff)},
});

/** What else the addon reads. */
type NativeOrder = Readonly<Record<string, unknown>>;
type ReadingOrder = {readonly signal: AbortSignal; readonly bufferBytes: number};

const openReading = ({signal, ...order}: ReadingOrder & NativeOrder, onClosed: () => void): Reading<Buffer> => {
	let reader: NativeReader | undefined;
	const source = createReading({
		...{signal, queueBytesMax: order.bufferBytes},
		stats: () => {
			const {bytes, overruns, dropped, damaged} = reader?.stats() ?? noStats;
			return {bytes, overruns, dropped, damaged};
		},
		onClose: async () => {
			onClosed();
			await reader?.close();
		},
	});
	const onBatch = ({bytes, lengths, ended}: NativeBatch): void => {
		for (const item of split(bytes, lengths)) {
			source.push(item);
		}
		if (ended) {
			source.end(reader?.stats().error);
		}
	};
	reader = new dvbAddon.Reader({...order, queueBytesMax: order.bufferBytes, onBatch});
	return source.reading;
};

const noStats = {bytes: 0, overruns: 0, dropped: 0, damaged: 0};

const split = (bytes: Buffer, lengths: Uint32Array): readonly Buffer[] => {
	if (lengths.length === 0) {
		return bytes.length === 0 ? [] : [bytes];
	}
	let offset = 0;
	return Array.from(lengths, (length) => {
		offset += length;
		return bytes.subarray(offset - length, offset);
	});
};

export type NetInterfaceOptions = {
	readonly adapter: number;
	readonly demux?: number | undefined;
	readonly pid: number;
	readonly encapsulation: 'mpe' | 'ule';
};

/**
 * Has the kernel make a network interface of a PID, and answers its name (`dvb0_0`). Needs CAP_NET_ADMIN and a driver with a
 * net device. The interface goes with its disposal, or with the adapter.
 * @throws NativeError NATIVE_DVB_ABSENT, _DENIED, _REFUSED …
 */
export const openNetInterface = (options: NetInterfaceOptions): Disposable & {readonly name: string} => {
	const {adapter, demux = 0, pid, encapsulation} = options;
	const name = dvbAddon.addNetInterface({adapter, demux, pid, ule: encapsulation === 'ule'});
	return {
		name,
		[Symbol.dispose]: () => dvbAddon.removeNetInterface({adapter, demux, number: Number(name.split('_')[1])}),
	};
};

const nativeAntenna = ({lnb, toneBurst, unicable, ...ports}: Antenna): object => ({
	...defined(ports),
	lnb,
	...(toneBurst === undefined ? {} : {burst: toneBurst === 'a' ? 0 : 1}),
	...(unicable === undefined ? {} : {unicable: nativeUnicable(unicable)}),
});

const nativeUnicable = ({standard, position = 0, ...rest}: NonNullable<Antenna['unicable']>): object => ({
	...defined(rest),
	position,
	second: standard === 'EN 50607',
});

/** Without the keys whose value is undefined. */
const defined = (options: object): object =>
	Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
