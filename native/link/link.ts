import {loadAddon} from '../load-addon.ts';
import {type DamageKind, damageKinds} from './damage-kind.ts';
import type {
	DecapsulatorOptions,
	DecapsulatorStats,
	DecoderOptions,
	DecoderResult,
	DecoderStats,
	LinkContents,
	LinkDatagrams,
	LinkFinding,
} from './decapsulator-options.ts';
import type {EncapsulatorOptions, EncapsulatorStats, EncoderStats} from './encapsulator-options.ts';
import type {LinkFormat, LinkRate} from './link-format.ts';
import {toNativeFormat, toNativeOutput, toNativeSelection} from './native-options.ts';

export type {DamageKind} from './damage-kind.ts';
export type * from './decapsulator-options.ts';
export type * from './encapsulator-options.ts';
export type * from './link-format.ts';

/** A thread that carries the datagrams of groups in a stream of constant rate. */
export type Encapsulator = AsyncDisposable & {
	readonly stats: () => EncapsulatorStats;
	/** Ends at once. Idempotent. */
	readonly close: () => Promise<void>;
};

/** A thread that takes a stream and gives its datagrams back to their groups, to JavaScript, or both. */
export type Decapsulator = AsyncDisposable & {
	/** Of `bytes` inputs: false, and nothing is taken, when 16 MiB wait already: come again. */
	readonly write: (bytes: Uint8Array) => boolean;
	readonly contents: () => LinkContents;
	readonly stats: () => DecapsulatorStats;
	readonly close: () => Promise<void>;
};

/** The same without threads, sockets and clocks: each `pull` is the next of a stream of constant rate. */
export type LinkEncoder = {
	/** One IP datagram, copied; false when it was dropped or refused. */
	readonly push: (datagram: Uint8Array, options?: {readonly serviceId?: number}) => boolean;
	/** Exactly so many TS packets or BBFRAMEs, filled up where nothing waits. */
	readonly pull: (units: number) => Buffer;
	readonly stats: () => EncoderStats;
};

export type LinkDecoder = {
	/** See DecoderOptions.input for what is in `bytes`; `timeMs` is handed on with what it completes. */
	readonly write: (bytes: Uint8Array, options?: {readonly timeMs?: number}) => DecoderResult;
	readonly contents: () => LinkContents;
	readonly stats: () => DecoderStats;
};

type NativeDecoderStats = Omit<DecoderStats, 'damage'> & {readonly damage: readonly number[]};
type NativeEncapsulator = Pick<Encapsulator, 'stats' | 'close'>;
type NativeDecapsulator = Pick<Decapsulator, 'write' | 'contents' | 'close'> & {
	readonly stats: () => Omit<DecapsulatorStats, 'damage'> & {readonly damage: readonly number[]};
};
type NativeEncoder = {
	readonly push: (datagram: Uint8Array, serviceId: number) => boolean;
	readonly pull: (units: number) => Buffer;
	readonly stats: () => EncoderStats;
};
type NativeFindings = {
	/** Kind, PID and ISI of each, one behind the other. */
	readonly marks: Uint16Array;
	readonly positions: Float64Array;
};
type NativeDecoder = {
	readonly write: (
		bytes: Uint8Array,
		timeMs: number,
	) => {
		readonly datagrams: LinkDatagrams;
		readonly findings: NativeFindings;
	};
	readonly contents: () => LinkContents;
	readonly stats: () => NativeDecoderStats;
};
type LinkAddon = {
	readonly damageKinds: () => readonly string[];
	readonly Encapsulator: new (options: object) => NativeEncapsulator;
	readonly Decapsulator: new (options: object) => NativeDecapsulator;
	readonly Encoder: new (options: object) => NativeEncoder;
	readonly Decoder: new (options: object) => NativeDecoder;
};

const addon = loadAddon('link') as LinkAddon;
const queueBytesMax = 4 * 1024 * 1024;
const receiveBufferBytes = 4 * 1024 * 1024;

/** The addon's own list, in its order. */
export const nativeDamageKinds = (): readonly string[] => addon.damageKinds();

const namedDamage = <Stats extends {readonly damage: readonly number[]}>(stats: Stats) => ({
	...stats,
	damage: Object.fromEntries(damageKinds.map((kind, index) => [kind, stats.damage[index] ?? 0])) as Record<
		DamageKind,
		number
	>,
});

const toFindings = ({marks, positions}: NativeFindings, timeMs: number): readonly LinkFinding[] =>
	Array.from(positions, (position, index) => {
		const [kind = 0, pid = 0xff_ff, inputStream = 0xff_ff] = marks.subarray(index * 3);
		return {kind: damageKinds[kind] ?? 'foreign-datagram', pid, inputStream, position, timeMs};
	});

/** Throws NATIVE_LINK_ARGUMENT, or NATIVE_PACKET_ADDRESS, _INTERFACE, _JOIN or _SOCKET. */
export const openEncapsulator = (options: EncapsulatorOptions): Encapsulator => {
	const native = new addon.Encapsulator({
		...toNativeFormat(options.format),
		rate: options.rate,
		inputs: options.inputs.map((input) => ({serviceId: 0, sourceAddress: '', ...input})),
		output: toNativeOutput(options.output),
		queueBytesMax: options.queueBytesMax ?? queueBytesMax,
		receiveBufferBytes,
		onFailed: options.onFailed ?? (() => {}),
	});
	let closing: Promise<void> | undefined;
	const close = (): Promise<void> => {
		closing ??= native.close();
		return closing;
	};
	return {stats: () => native.stats(), close, [Symbol.asyncDispose]: close};
};

/** Throws NATIVE_LINK_ARGUMENT, or NATIVE_PACKET_ADDRESS, _INTERFACE, _JOIN or _SOCKET. */
export const openDecapsulator = (options: DecapsulatorOptions): Decapsulator => {
	const {input, emit} = options;
	const native = new addon.Decapsulator({
		input: input.kind === 'udp' ? {receiveBufferBytes, ...input} : {bbFrameBits: 0, ...input},
		select: toNativeSelection(options.select),
		...(emit === undefined ? {} : {emit: {interfaceAddress: '127.0.0.1', sourceAddress: '', ttl: 1, ...emit}}),
		...(options.onDatagrams === undefined ? {} : {onDatagrams: options.onDatagrams}),
		onEnd: options.onEnd ?? (() => {}),
	});
	let closing: Promise<void> | undefined;
	const close = (): Promise<void> => {
		closing ??= native.close();
		return closing;
	};
	return {
		write: (bytes) => native.write(bytes),
		contents: () => native.contents(),
		stats: () => namedDamage(native.stats()),
		close,
		[Symbol.asyncDispose]: close,
	};
};

/** `rate` says how often tables are due and what time it is in the TDT, from `startUtcMs` on. Throws NATIVE_LINK_ARGUMENT. */
export const openLinkEncoder = (options: {
	readonly format: LinkFormat;
	readonly rate: LinkRate;
	readonly queueBytesMax?: number;
	readonly startUtcMs?: number;
}): LinkEncoder => {
	const native = new addon.Encoder({
		...toNativeFormat(options.format),
		rate: options.rate,
		queueBytesMax: options.queueBytesMax ?? queueBytesMax,
		startUtcMs: options.startUtcMs ?? Date.now(),
	});
	return {
		push: (datagram, {serviceId = 0} = {}) => native.push(datagram, serviceId),
		pull: (units) => native.pull(units),
		stats: () => native.stats(),
	};
};

/** Throws NATIVE_LINK_ARGUMENT. */
export const openLinkDecoder = (options: DecoderOptions): LinkDecoder => {
	const native = new addon.Decoder({
		datagrams: options.input === 'datagrams',
		bbFrameBits: options.bbFrameBits ?? 0,
		select: toNativeSelection(options.select),
	});
	return {
		write: (bytes, {timeMs = 0} = {}) => {
			const {datagrams, findings} = native.write(bytes, timeMs);
			return {datagrams, findings: toFindings(findings, timeMs)};
		},
		contents: () => native.contents(),
		stats: () => namedDamage(native.stats()),
	};
};
