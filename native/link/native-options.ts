import type {DecoderSelection} from './decapsulator-options.ts';
import type {EncapsulatorOutput} from './encapsulator-options.ts';
import type {FrameOptions, LinkFormat, SatelliteDelivery} from './link-format.ts';

const rollOffs = [0.35, 0.25, 0.2, 0.15, 0.1, 0.05];
const polarizations = ['horizontal', 'vertical', 'left', 'right'];
const modulations = ['auto', 'qpsk', '8psk'];
/** FEC_inner of EN 300 468, table 36; what it has not is told as undefined. */
const codeRates = ['', '1/2', '2/3', '3/4', '5/6', '7/8', '8/9', '3/5', '4/5', '9/10'];

const toDelivery = ({polarization, system, modulation, rollOff, codeRate, ...numbers}: SatelliteDelivery) => ({
	...numbers,
	polarization: polarizations.indexOf(polarization),
	isSecondGeneration: system === 'dvb-s2',
	modulation: modulations.indexOf(modulation),
	rollOff: rollOffs.indexOf(rollOff),
	codeRate: Math.max(0, codeRates.indexOf(codeRate)),
});

const toFrames = ({modcod, rollOff, inputStream, isConstantCoding = true}: FrameOptions) => {
	const code = rollOffs.indexOf(rollOff);
	return {
		...{pls: modcod.pls, bbFrameBits: modcod.bbFrameBits, isConstantCoding},
		...{rollOffCode: code % 3, alternatesRollOff: code >= 3},
		...(inputStream === undefined ? {} : {inputStream}),
	};
};

/** What the addon reads: numbers for names, and no key left out. */
export const toNativeFormat = (format: LinkFormat): object => {
	if (format.kind === 'gse') {
		const {frames, label = 'mac', isHighEfficiency = false, isLite = false} = format;
		return {kind: 'gse', frames: toFrames(frames), label, isHighEfficiency, isLite};
	}
	const {kind, transport, frames} = format;
	const {delivery} = transport;
	return {
		kind,
		transport: {...transport, delivery: delivery && toDelivery(delivery)},
		...(frames === undefined ? {} : {frames: toFrames(frames)}),
	};
};

export const toNativeOutput = (output: EncapsulatorOutput): object =>
	output.kind === 'udp' || output.kind === 'rtp' ? {interfaceAddress: '', ttl: 1, ...output} : output;

export const toNativeSelection = ({pids, serviceIds, inputStreams}: DecoderSelection = {}): object => ({
	pids: pids ?? [],
	...(serviceIds === undefined ? {} : {serviceIds}),
	...(inputStreams === undefined ? {} : {inputStreams}),
});
