import test from 'ava';
import {createAnnouncementListener} from '#stb/tuner/announcement-listener.ts';
import type {Carrier} from '#stb/tuner/carrier.ts';

const carrier = (frequencyKhz: number): Carrier => ({
	...{system: 'DVB-S2', frequencyKhz, polarization: 'vertical', symbolRate: 27_500_000},
});
const nifOf = (id: number): Buffer =>
	Buffer.from(`<NetworkInformationFile><ActualBroadcastNetwork><NetworkName>n</NetworkName><NIPNetworkID>${id}</NIPNetworkID>
	</ActualBroadcastNetwork><OtherBroadcastNetwork><NIPNetworkID>9</NIPNetworkID><NIPStream><LinkLayerFormat>TS</LinkLayerFormat>
	<NIPCarrierID>1</NIPCarrierID><NIPLinkID>0</NIPLinkID><NIPServiceID>1</NIPServiceID><DVBS2_NIPDeliveryParameters>
	<Frequency>1200000</Frequency><Polarization>horizontal</Polarization><SymbolRate>22000</SymbolRate>
	</DVBS2_NIPDeliveryParameters></NIPStream></OtherBroadcastNetwork></NetworkInformationFile>`);

const listening = (networkId?: number) => {
	const air: {packets: number; announced: boolean; nif?: Buffer} = {packets: 0, announced: false};
	const listener = createAnnouncementListener({
		networkId,
		packets: () => air.packets,
		announced: () => air.announced,
		document: () => air.nif && {uri: 'nif', contentType: 'application/xml+dvb-nip-nif', bytes: air.nif},
	});
	return {air, listener, heard: () => listener.announcement().kind};
};

test('packets and a bootstrap together are an announcement; neither alone is', (t) => {
	const {air, listener, heard} = listening();
	listener.listen(carrier(11_000_000));
	t.is(heard(), 'silence');
	air.packets = 5;
	t.is(heard(), 'silence');
	air.announced = true;
	t.is(heard(), 'wanted');
	listener.listen(carrier(12_000_000));
	t.is(heard(), 'silence');
});

test('which network it is says its own file, and that of another carrier says nothing', (t) => {
	const {air, listener, heard} = listening(318);
	listener.listen(carrier(11_000_000));
	Object.assign(air, {packets: 5, announced: true});
	t.is(heard(), 'silence', 'nobody has said yet which network this is');
	air.nif = nifOf(7);
	t.is(heard(), 'elsewhere');
	t.deepEqual(
		listener.announcement(),
		{kind: 'elsewhere', carriers: [{...carrier(12_000_000), polarization: 'horizontal', symbolRate: 22_000_000}]},
		'but it tells where to look',
	);
	listener.listen(carrier(12_000_000));
	air.packets = 9;
	t.is(heard(), 'silence');
	air.nif = nifOf(318);
	t.is(heard(), 'wanted');
});

test('a file that came before holds again on its own carrier', (t) => {
	const {air, listener, heard} = listening(318);
	listener.listen(carrier(11_000_000));
	Object.assign(air, {packets: 5, announced: true, nif: nifOf(318)});
	listener.listen(carrier(12_000_000));
	air.packets = 9;
	t.is(heard(), 'silence');
	listener.listen(carrier(11_000_000));
	t.is(heard(), 'silence');
	air.packets = 12;
	t.is(heard(), 'wanted');
});

test('a file that cannot be read is as none', (t) => {
	const {air, listener, heard} = listening(318);
	listener.listen(carrier(11_000_000));
	Object.assign(air, {packets: 5, announced: true, nif: Buffer.from('<broken')});
	t.is(heard(), 'silence');
});
