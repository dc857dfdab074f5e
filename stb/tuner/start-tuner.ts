import type {StbTuner} from '#appliance/contract/stb-status-schema.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {openTuner} from '#native/dvb/dvb.ts';
import {openNetInterface} from '#native/dvb/kernel-tuner.ts';
import {readContents} from '#native/dvb/scan.ts';
import {openDecapsulator} from '#native/link/link.ts';
import type {Reception} from '#stb/receive/start-reception.ts';
import type {Carriage} from '#stb/receive/tuning.ts';
import {createAnnouncementListener} from '#stb/tuner/announcement-listener.ts';
import type {Carrier} from '#stb/tuner/carrier.ts';
import {openCarrierKeeper} from '#stb/tuner/carrier-keeper.ts';
import {type DatagramSource, openKernelCarriage, openPump} from '#stb/tuner/pump.ts';
import type {TunerConfig} from '#stb/tuner/tuner-config.ts';
import {type TunerFigures, TunerRunner} from '#stb/tuner/tuner-runner.ts';
import {carrierOf} from '#stb/tuner/tuner-state.ts';

export type RunningTuner = AsyncDisposable & {readonly status: () => StbTuner};

/** Where our own datagrams come from on the loopback, so that no other program’s are taken for the satellite's. */
const emission = {interfaceAddress: '127.0.0.1', source: '127.0.0.77'};

/** How the multicast of a box with a tuner reaches its receiver. */
export const carriageOf = ({source, carriage}: TunerConfig): Carriage =>
	carriage.kind === 'user' ? emission : {interfaceAddress: `dvb${source.kind === 'kernel' ? source.adapter : 0}_0`};

/** Brings the satellite to the box's receiver: searches, tunes, and re-emits on the loopback what the carrier brings. */
export const startTuner = (options: {
	readonly config: TunerConfig;
	/** Of what the box learns of its satellite. */
	readonly carriersPath: string;
	readonly reception: Pick<Reception, 'receiver' | 'tuning' | 'signalling'>;
	readonly clock: Clock;
	readonly logger: Logger;
}): RunningTuner => {
	const {config, reception, clock, logger} = options;
	const {source, carriage} = config;
	const runner = new TunerRunner({
		...{config, clock, logger},
		keeper: openCarrierKeeper({path: options.carriersPath, config, logger}),
		open: () => openTuner(source),
		openPump: ({tuner, carrier, signal}) => {
			if (carriage.kind === 'kernel' && source.kind === 'kernel') {
				const {pid, encapsulation} = carriage;
				return openKernelCarriage(() => openNetInterface({...source, pid, encapsulation}));
			}
			return openPump({tuner, openSource: () => openSource(config, carrier), signal});
		},
		listener: createAnnouncementListener({
			networkId: config.networkId,
			packets: () => reception.receiver.stats().packets,
			announced: () => reception.tuning.announced,
			document: reception.signalling.document,
		}),
		tableCarriers: async (tuner, {signal}) => (await readContents(tuner, {signal})).carriers,
	});
	const stop = new AbortController();
	const running = runner.run({signal: stop.signal});
	return {
		status: () => statusOf(runner.figures()),
		[Symbol.asyncDispose]: async () => {
			stop.abort();
			await running;
		},
	};
};

const openSource = ({serviceIds}: TunerConfig, {inputStream}: Carrier): DatagramSource =>
	openDecapsulator({
		input: {kind: 'bytes'},
		select: {
			...(serviceIds === undefined ? {} : {serviceIds}),
			...(inputStream === undefined ? {} : {inputStreams: [inputStream]}),
		},
		emit: {interfaceAddress: emission.interfaceAddress, sourceAddress: emission.source, ttl: 0},
	});

/** What the box tells of its tuner. */
export const statusOf = ({state, name, signal, ...counts}: TunerFigures): StbTuner => {
	const {marginDb, ...measures} = signal;
	const carrier = carrierOf(state);
	return {
		...{name, ...measures},
		work: {
			...{phase: state.kind, ...counts},
			...(carrier === undefined ? {} : {carrier: placeOf(carrier)}),
			...('lockMs' in state ? {lockMs: state.lockMs} : {}),
			...(marginDb === undefined ? {} : {marginDb}),
		},
	};
};

const placeOf = ({frequencyKhz, polarization, symbolRate}: Carrier) => ({frequencyKhz, polarization, symbolRate});
