import type {Logger} from '#appliance/log/logger.ts';
import {carriedLink} from '#headend/uplink/link-format.ts';
import {openSamples, type SampleOutput} from '#headend/uplink/open-samples.ts';
import type {Transmission} from '#headend/uplink/transmission.ts';
import {type Encapsulator, openEncapsulator} from '#native/link/link.ts';

/** What leaves the headend in another form than IP multicast. */
export type OutputStats = {
	/** IP datagrams that were carried. */
	readonly datagrams: number;
	readonly carrierBytes: number;
	readonly stuffingBytes: number;
	/** That found no room: more came than the transponder carries. */
	readonly droppedDatagrams: number;
	/** Times that the machine was so late that the output had a gap. */
	readonly underruns: number;
	/** That the network or the modulator did not take. */
	readonly lostBytes: number;
};

export type Output = AsyncDisposable & {
	/** Absent for IP multicast, which needs nothing more. */
	readonly stats: () => OutputStats | undefined;
	/** Begins again with the transmission's parameters of now; datagrams that come meanwhile are lost. */
	readonly reopen: () => Promise<void>;
};

type Opened = {readonly encapsulator: Encapsulator; readonly samples?: SampleOutput | undefined};

const openChain = (
	{config, plan}: Transmission,
	onFailed: (error: {readonly code: string; readonly message: string}) => void,
): Opened | undefined => {
	const {output} = config.uplink;
	const {satellite} = config.network;
	if (output.form === 'ip' || satellite === null || plan.link === undefined) {
		return undefined;
	}
	const {modcod} = plan.link;
	const link = carriedLink(config, {satellite, modcod, output});
	if (output.form === 'iq') {
		const input = link.format.kind === 'gse' ? 'bbframe' : 'ts';
		const samples = openSamples({output, satellite, modcod, input, onFailed});
		const {rate, onBytes} = samples;
		return {
			samples,
			encapsulator: openEncapsulator({...link, rate: rate(link.rate), output: {kind: 'bytes', onBytes}, onFailed}),
		};
	}
	const {destination, ttl, interfaceAddress} = output;
	const kind = output.form === 'mpe' ? output.wrapping : 'udp';
	const sink = {kind, ...destination, ttl, ...(interfaceAddress === undefined ? {} : {interfaceAddress})};
	return {encapsulator: openEncapsulator({...link, output: sink, onFailed})};
};

/** Opens what `uplink.output` names. Throws what native/link and native/modem throw. */
export const openOutput = (options: {
	readonly transmission: Transmission;
	readonly logger: Logger;
	/** Nothing is sent any more. */
	readonly onFailed: () => void;
}): Output => {
	const {transmission, logger, onFailed} = options;
	const failed = (error: {readonly code: string; readonly message: string}): void => {
		logger.fatal({error}, 'the uplink’s output cannot go on');
		onFailed();
	};
	let chain = openChain(transmission, failed);
	const close = async (): Promise<void> => {
		await chain?.encapsulator.close();
		await chain?.samples?.[Symbol.asyncDispose]();
		chain = undefined;
	};
	return {
		stats: () => {
			const stats = chain?.encapsulator.stats();
			if (stats === undefined) {
				return undefined;
			}
			const {datagrams, carrierBytes, stuffingBytes, droppedDatagrams, underruns, lostBytes} = stats;
			const samples = chain?.samples?.stats();
			return {
				...{datagrams, carrierBytes, stuffingBytes, droppedDatagrams},
				underruns: underruns + (samples?.underruns ?? 0),
				lostBytes: lostBytes + (samples?.lostBytes ?? 0),
			};
		},
		reopen: async () => {
			await close();
			chain = openChain(transmission, failed);
		},
		[Symbol.asyncDispose]: close,
	};
};
