import test from 'ava';
import {parseNetworkInformation} from '#stb/signalling/parse-network-information.ts';
import {type Carrier, carriersMax, carriersOfNetworks, isSameCarrier, mergeCarriers} from '#stb/tuner/carrier.ts';

const carrier = (frequencyKhz: number): Carrier => ({
	...{system: 'DVB-S2', frequencyKhz, polarization: 'vertical', symbolRate: 27_500_000},
});

const network = (id: number, tag: string, parameters: string): string =>
	`<${tag}><NetworkName>n</NetworkName><NIPNetworkID>${id}</NIPNetworkID><NIPStream>
	<LinkLayerFormat>TS</LinkLayerFormat><NIPCarrierID>1</NIPCarrierID><NIPLinkID>0</NIPLinkID><NIPServiceID>5001</NIPServiceID>
	${parameters}</NIPStream></${tag}>`;

/** The delivery parameters are those that two operators have on the air (TSDuck's references 197 and 198). */
const file = (): string => `<NetworkInformationFile xmlns="urn:dvb:metadata:nativeip:2023">
	${network(
		318,
		'ActualBroadcastNetwork',
		`<DVBS2_NIPDeliveryParameters><Frequency>1222616</Frequency><Polarization>vertical</Polarization>
		<Modulation_Type>8PSK</Modulation_Type><Roll_off>0.20</Roll_off><SymbolRate>27500</SymbolRate><FEC>3/4</FEC>
		<input_stream_identifier>0</input_stream_identifier></DVBS2_NIPDeliveryParameters>`,
	)}${network(
		1,
		'OtherBroadcastNetwork',
		`<DVBS2X_NIPDeliveryParameters><receiver_profiles>Broadcast services</receiver_profiles><S2X_mode>S2X</S2X_mode>
		<Frequency>1114100</Frequency><Polarization>horizontal</Polarization><Roll_off>0.20</Roll_off>
		<SymbolRate>23500</SymbolRate><scrambling_sequence_index>8</scrambling_sequence_index>
		<input_stream_identifier>5</input_stream_identifier></DVBS2X_NIPDeliveryParameters>`,
	)}</NetworkInformationFile>`;

test('carriers of all networks are taken from the file, those of the wanted one first', (t) => {
	const information = parseNetworkInformation(file());
	t.deepEqual(information.problems, []);
	const [own, other] = carriersOfNetworks(information, undefined);
	t.deepEqual(own, {
		...{system: 'DVB-S2', frequencyKhz: 12_226_160, polarization: 'vertical', symbolRate: 27_500_000},
		...{modulation: '8PSK', codeRate: '3/4', rollOff: '0.20'},
	});
	t.deepEqual(other, {
		...{system: 'DVB-S2X', frequencyKhz: 11_141_000, polarization: 'horizontal', symbolRate: 23_500_000},
		...{rollOff: '0.20', inputStream: 5, plsIndex: 8},
	});
	t.deepEqual(carriersOfNetworks(information, 1), [other, own]);
});

test('a polarization that nobody knows leaves the carrier out, circular ones are known', (t) => {
	const of = (word: string) =>
		carriersOfNetworks(parseNetworkInformation(file().replaceAll('>vertical<', `>${word}<`)), undefined).map(
			({polarization}) => polarization,
		);
	t.deepEqual(of('circular left'), ['left', 'horizontal']);
	t.deepEqual(of('V'), ['vertical', 'horizontal']);
	t.deepEqual(of('up'), ['horizontal']);
});

test('one carrier that two tables give differently is known once, and there is an end of them', (t) => {
	t.true(isSameCarrier(carrier(11_727_500), carrier(11_728_000)));
	t.false(isSameCarrier(carrier(11_727_500), {...carrier(11_727_500), polarization: 'horizontal'}));
	t.false(isSameCarrier(carrier(11_727_500), {...carrier(11_727_500), inputStream: 1}));
	const many = Array.from({length: 2 * carriersMax}, (_, index) => carrier(10_000_000 + index * 10_000));
	const merged = mergeCarriers([carrier(10_000_500)], many);
	t.is(merged.length, carriersMax);
	t.is(merged[0]?.frequencyKhz, 10_000_500);
	t.is(merged[1]?.frequencyKhz, 10_010_000);
});
