import {NativeError} from '../native-error.ts';
import {openPacketReceiver, type PacketEndpoint, type PacketReceiver} from '../packet/packet.ts';
import {packetsOf, type StreamFilter, sectionsOf} from './packet-filter.ts';
import {createReading} from './reading.ts';
import {packetBytes} from './section-assembler.ts';
import type {Reading, SignalStatistics, Tuner} from './tuner.ts';

export type FeedTunerOptions = {
	/** TS packets, bare or in RTP; BBFRAMEs by mode adaptation L.3, whose head is taken away. */
	readonly format: Tuner['format'];
	readonly endpoint: PacketEndpoint;
};

const queueBytesMax = 16 * 1024 * 1024;
/** A feed that is silent for so long has lost its lock. */
const silenceMsMax = 1000;
const rtpHeadBytes = 12;
/** Mode adaptation L.3: 0xB8, ACM, CNI and frame number before each BBFRAME. */
const modeAdaptationByte = 0xb8;
const modeAdaptationBytes = 4;

/**
 * A tuner behind a gateway that sends what it receives over the network. `tune` takes what there is; the statistics know of
 * lock alone.
 * @throws NativeError NATIVE_PACKET_…
 */
export const openFeedTuner = ({format, endpoint}: FeedTunerOptions): Tuner => {
	const filters = new Set<StreamFilter>();
	const readings = new Set<Reading<Buffer>>();
	let heardMs = Number.NEGATIVE_INFINITY;
	let closed: Promise<void> | undefined;
	const receiver = listen(endpoint, format, (bytes) => {
		heardMs = performance.now();
		for (const filter of filters) {
			filter(bytes);
		}
	});
	const attach = (signal: AbortSignal, filterInto: (push: (item: Buffer) => void) => StreamFilter): Reading<Buffer> => {
		if (closed !== undefined) {
			throw new NativeError('NATIVE_DVB_CLOSED', 'the tuner is closed');
		}
		let bytesTaken = 0;
		const {reading, push} = createReading({
			...{signal, queueBytesMax},
			stats: () => ({bytes: bytesTaken, overruns: receiver.stats().kernelDrops, dropped: 0, damaged: 0}),
			onClose: () => {
				filters.delete(filter);
				readings.delete(reading);
				return undefined;
			},
		});
		const give = filterInto(push);
		const filter: StreamFilter = (bytes) => {
			bytesTaken += bytes.length;
			give(bytes);
		};
		filters.add(filter);
		readings.add(reading);
		return reading;
	};
	const close = (): Promise<void> => {
		closed ??= Promise.all([...readings].map((reading) => reading[Symbol.asyncDispose]())).then(() => receiver.close());
		return closed;
	};
	return {
		...{name: `${endpoint.group}:${endpoint.port}`, format, close},
		tune: async (_tuning, _antenna, {signal}) => signal.throwIfAborted(),
		statistics: async () => lockOnly(performance.now() - heardMs < silenceMsMax),
		read: ({pids, signal}) => attach(signal, (push) => (pids === 'all' ? push : packetsOf(pids, push))),
		sections: ({signal, ...request}) => {
			requireTransportStream(format);
			return attach(signal, (push) => sectionsOf(request, push));
		},
		pes: refusePes,
		[Symbol.asyncDispose]: close,
	};
};

export const requireTransportStream = (format: Tuner['format']): void => {
	if (format !== 'ts') {
		throw new NativeError('NATIVE_DVB_REFUSED', 'BBFRAMEs have no sections');
	}
};

export const refusePes = (): never => {
	throw new NativeError('NATIVE_DVB_REFUSED', 'only the kernel gives PES packets; read the transport packets');
};

export const lockOnly = (locked: boolean): SignalStatistics => ({
	...{signal: locked, carrier: locked, code: locked, sync: locked, locked},
});

const listen = (
	endpoint: PacketEndpoint,
	format: Tuner['format'],
	onBytes: (bytes: Buffer) => void,
): PacketReceiver => {
	const payloadOf = format === 'ts' ? transportPackets : baseBandFrame;
	const receiver = openPacketReceiver({
		datagramBytesMax: 65_535,
		onBatch: ({bytes, lengths}) => {
			let at = 0;
			const payloads = Array.from(lengths, (length) => {
				at += length;
				return payloadOf(bytes.subarray(at - length, at));
			});
			const all = Buffer.concat(payloads);
			if (all.length > 0) {
				onBytes(all);
			}
		},
	});
	try {
		receiver.join(endpoint);
	} catch (error) {
		void receiver.close();
		throw error;
	}
	return receiver;
};

const nothing = Buffer.alloc(0);

/** TS over UDP, bare or in RTP (RFC 2250); anything else is left out. */
const transportPackets = (payload: Buffer): Buffer => {
	const first = payload[0] ?? 0;
	const isRtp = (first & 0xc0) === 0x80;
	const packets = isRtp ? payload.subarray(rtpHeadBytes + (first & 0xf) * 4) : payload;
	return packets[0] === 0x47 && packets.length % packetBytes === 0 ? packets : nothing;
};

const baseBandFrame = (payload: Buffer): Buffer =>
	payload[0] === modeAdaptationByte ? payload.subarray(modeAdaptationBytes) : payload;
