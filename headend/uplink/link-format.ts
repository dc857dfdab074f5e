import type {HeadendConfig} from '#headend/config-schema.ts';
import type {SatelliteConfig} from '#headend/network-config-schema.ts';
import type {OutputConfig} from '#headend/uplink/output-schema.ts';
import type {EncapsulatorInput} from '#native/link/encapsulator-options.ts';
import type {FrameOptions, LinkFormat, LinkRate, SatelliteDelivery} from '#native/link/link-format.ts';
import type {Modcod} from '#native/modem/modem.ts';

/** Kbch less this is the data field (EN 302 307-1, 5.1.6). */
const bbHeaderBits = 80;
/** The program map table lies beside the sections. */
const pmtPidDistance = 1;
/** Datagrams of a form that we encapsulate ourselves never leave the machine as they are. */
export const loopbackAddress = '127.0.0.1';

const rollOffOf = ({rollOff}: SatelliteConfig): FrameOptions['rollOff'] => Number(rollOff) as FrameOptions['rollOff'];

const polarizations: Readonly<Record<SatelliteConfig['polarization'], SatelliteDelivery['polarization']>> = {
	horizontal: 'horizontal',
	vertical: 'vertical',
	'left circular': 'left',
	'right circular': 'right',
};

/** What the descriptor cannot say, for S2's higher orders, is left to the receiver. */
const deliveryOf = (satellite: SatelliteConfig): SatelliteDelivery => {
	const rollOff = rollOffOf(satellite);
	const {modulation, frequencyKhz, symbolRateKsps, orbitalPositionDegrees, codeRate} = satellite;
	return {
		frequencyKhz,
		symbolRate: symbolRateKsps * 1000,
		orbitalPosition: Math.round(Math.abs(orbitalPositionDegrees) * 10),
		isEast: orbitalPositionDegrees >= 0,
		polarization: polarizations[satellite.polarization],
		system: 'dvb-s2',
		modulation: modulation === 'QPSK' ? 'qpsk' : modulation === '8PSK' ? '8psk' : 'auto',
		rollOff: rollOff === 0.25 || rollOff === 0.2 ? rollOff : 0.35,
		codeRate,
	};
};

export type CarriedLink = {
	readonly format: LinkFormat;
	/** Exact: a fraction of whole numbers. */
	readonly rate: LinkRate;
	readonly inputs: readonly EncapsulatorInput[];
};

/** What native/link is opened with: the layers below IP as the configuration names them. */
export const carriedLink = (
	{network, uplink, operator}: HeadendConfig,
	options: {
		readonly satellite: SatelliteConfig;
		readonly modcod: Modcod;
		readonly output: Exclude<OutputConfig, {form: 'ip'}>;
	},
): CarriedLink => {
	const {satellite, modcod, output} = options;
	const {bbFrameBits, frameSymbols, pls} = modcod;
	const {group, port, announcement, portOffset, sourceAddress} = uplink;
	const inputs = [announcement, {group, port}].map((endpoint) => ({
		group: endpoint.group,
		port: endpoint.port + portOffset,
		// What a receiver on this machine gives back to the same groups has another source, and is not carried again.
		source: loopbackAddress,
		interfaceAddress: loopbackAddress,
		...(sourceAddress === undefined ? {} : {sourceAddress}),
	}));
	const symbolRate = satellite.symbolRateKsps * 1000;
	if (network.linkLayerFormat === 'GSE-Lite') {
		const frames: FrameOptions = {modcod: {pls, bbFrameBits}, rollOff: rollOffOf(satellite)};
		const rate = {bits: bbFrameBits * symbolRate, seconds: frameSymbols};
		return {format: {kind: 'gse', frames, isLite: true}, rate, inputs};
	}
	const pid = output.form === 'gse' ? 0 : output.pid;
	const {serviceId} = network;
	return {
		format: {
			kind: 'mpe',
			transport: {
				transportStreamId: satellite.transportStreamId,
				originalNetworkId: satellite.originalNetworkId,
				networkId: network.networkId,
				networkName: network.name,
				services: [{serviceId, name: network.name, provider: operator.name, pmtPid: pid + pmtPidDistance, pid}],
				delivery: deliveryOf(satellite),
			},
		},
		rate: {bits: (bbFrameBits - bbHeaderBits) * symbolRate, seconds: frameSymbols},
		inputs,
	};
};
