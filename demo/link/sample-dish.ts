import type {Dish} from '#demo/link/signal.ts';
import {type Decapsulator, type DecapsulatorOptions, openDecapsulator} from '#native/link/link.ts';
import {openReceiver, type Receiver, type ReceiverOptions} from '#native/modem/receiver.ts';
import {openPacketReceiver} from '#native/packet/packet.ts';

/** The receiver is right rather than fast; what comes while it works on a frame waits here. */
const queueBytesMax = 64 * 1024 * 1024;
/** Two 16-bit integers. */
export const sampleBytes = 4;

/** What happens to samples on their way: noise, for example. */
export type Impairment = (samples: Int16Array) => void;

/** A dish for the signal itself: samples over UDP, the test receiver, BBFRAMEs, and the datagrams in them. */
export const openSampleDish = (options: {
	readonly port: number;
	readonly host: string;
	readonly bbFrameBits: number;
	readonly receiver: ReceiverOptions;
	readonly emit: NonNullable<DecapsulatorOptions['emit']>;
	readonly impair?: Impairment | undefined;
}): Dish => {
	const {port, host, bbFrameBits, emit, impair = () => undefined} = options;
	const decapsulator = openDecapsulator({input: {kind: 'bytes', bbFrameBits}, emit});
	const receiver = openReceiver({...options.receiver, format: 'integer'});
	const waiting: Buffer[] = [];
	let wake = Promise.withResolvers<void>();
	let isOpen = true;
	const packets = openPacketReceiver({
		queueBytesMax,
		onBatch: ({bytes}) => {
			waiting.push(bytes);
			wake.resolve();
		},
	});
	packets.join({group: host, port});
	const run = async (): Promise<void> => {
		while (isOpen) {
			await wake.promise;
			wake = Promise.withResolvers();
			const samples = copied(waiting.splice(0));
			impair(samples);
			await demodulate(receiver, samples, decapsulator);
		}
	};
	const running = run();
	return {
		stats: decapsulator.stats,
		contents: decapsulator.contents,
		signal: () => receiver.totals(),
		[Symbol.asyncDispose]: async () => {
			isOpen = false;
			await packets.close();
			wake.resolve();
			await running;
			await decapsulator.close();
		},
	};
};

/** At an address that a view of 16-bit integers may have. */
const copied = (portions: readonly Buffer[]): Int16Array => {
	const bytes = Buffer.concat(portions);
	const whole = bytes.length - (bytes.length % sampleBytes);
	return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + whole));
};

const demodulate = async (receiver: Receiver, samples: Int16Array, decapsulator: Decapsulator): Promise<void> => {
	const frames = await receiver.write(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength));
	for (const {bytes} of frames) {
		if (bytes !== undefined) {
			decapsulator.write(bytes);
		}
	}
};
