import {z} from 'zod';
import {childOf, childrenOf, childText, parseXml, requireRoot, type XmlNode} from '#appliance/xml/parse-xml.ts';
import {readEntry} from '#stb/signalling/read-entry.ts';
import {decimalSchema} from '#stb/signalling/session-schema.ts';
import {createProblemList, type ProblemList, type SignallingProblem} from '#stb/signalling/signalling-error.ts';

const word = decimalSchema(65_535);
const streamsMax = 256;
const othersMax = 64;

const tuningSchema = z.object({
	system: z.enum(['DVB-S2', 'DVB-S2X']),
	/** Written in units of 10 kHz. */
	frequencyKhz: decimalSchema(10 ** 8).transform((value) => value * 10),
	symbolRateKsps: decimalSchema(10 ** 6),
	polarization: z.string().max(50),
	modulation: z.string().max(50).optional(),
	rollOff: z.string().max(50).optional(),
	codeRate: z.string().max(50).optional(),
	inputStreamIdentifier: decimalSchema(255).default(0),
	/** Eighteen bits (EN 302 307-1 section 5.5.4). */
	scramblingSequenceIndex: decimalSchema(262_143).default(0),
});

const streamSchema = z.object({
	carrierId: word,
	linkId: word,
	serviceId: word,
	linkLayerFormat: z.string().max(50),
	tuning: tuningSchema.optional(),
});

export type NetworkStream = z.output<typeof streamSchema>;

export type BroadcastNetwork = {
	readonly networkId: number;
	readonly name: string;
	readonly streams: readonly NetworkStream[];
};

/** The network that the file came on, and others that it tells of. */
export type NetworkInformation = BroadcastNetwork & {
	readonly others: readonly BroadcastNetwork[];
	readonly problems: readonly SignallingProblem[];
};

const readTuning = (stream: XmlNode): unknown => {
	const s2x = childOf(stream, 'DVBS2X_NIPDeliveryParameters');
	const node = s2x ?? childOf(stream, 'DVBS2_NIPDeliveryParameters');
	return node === undefined
		? undefined
		: {
				system: s2x === undefined ? 'DVB-S2' : 'DVB-S2X',
				frequencyKhz: childText(node, 'Frequency'),
				symbolRateKsps: childText(node, 'SymbolRate'),
				polarization: childText(node, 'Polarization'),
				modulation: childText(node, 'Modulation_Type'),
				rollOff: childText(node, 'Roll_off'),
				codeRate: childText(node, 'FEC'),
				inputStreamIdentifier: childText(node, 'input_stream_identifier'),
				scramblingSequenceIndex: childText(node, 'scrambling_sequence_index'),
			};
};

/**
 * Reads the tuning facts of a Network Information File (TS 103 876): of the network that it came on, and of the others.
 * @throws CodedError APPLIANCE_XML_…
 */
export const parseNetworkInformation = (xml: string): NetworkInformation => {
	const root = requireRoot(parseXml(xml), 'NetworkInformationFile');
	const problems = createProblemList();
	const actual = readNetwork(childOf(root, 'ActualBroadcastNetwork'), {where: 'ActualBroadcastNetwork', problems});
	const others = childrenOf(root, 'OtherBroadcastNetwork')
		.slice(0, othersMax)
		.map((node, index) => readNetwork(node, {where: `OtherBroadcastNetwork[${index}]`, problems}));
	return {...actual, others, problems: problems.all()};
};

const readNetwork = (
	network: XmlNode | undefined,
	{where, problems}: {readonly where: string; readonly problems: ProblemList},
): BroadcastNetwork => {
	const head = readEntry(
		z.object({networkId: decimalSchema(65_535), name: z.string().max(200).default('')}),
		{networkId: childText(network, 'NIPNetworkID'), name: childText(network, 'NetworkName')},
		{where, problems},
	) ?? {networkId: 0, name: ''};
	const streams = childrenOf(network, 'NIPStream')
		.slice(0, streamsMax)
		.flatMap((node, index) => {
			const stream = readEntry(
				streamSchema,
				{
					carrierId: childText(node, 'NIPCarrierID'),
					linkId: childText(node, 'NIPLinkID'),
					serviceId: childText(node, 'NIPServiceID'),
					linkLayerFormat: childText(node, 'LinkLayerFormat'),
					tuning: readTuning(node),
				},
				{where: `${where} NIPStream[${index}]`, problems},
			);
			return stream === undefined ? [] : [stream];
		});
	return {...head, streams};
};
