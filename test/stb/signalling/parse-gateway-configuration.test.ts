import test from 'ava';
import {parseGatewayConfiguration, sessionsMax} from '#stb/signalling/parse-gateway-configuration.ts';

const flute = 'urn:dvb:metadata:cs:MulticastTransportProtocolCS:2019:FLUTE';

const addressOf = (group: string, port: number | string = 5001): string =>
	`<EndpointAddress><NetworkDestinationGroupAddress>${group}</NetworkDestinationGroupAddress>` +
	`<TransportDestinationPort>${port}</TransportDestinationPort></EndpointAddress>`;

const sessionOf = (inside: string, protocol = flute): string =>
	`<MulticastGatewayConfigurationTransportSession><TransportProtocol protocolIdentifier="${protocol}"/>${inside}` +
	'</MulticastGatewayConfigurationTransportSession>';

const documentOf = (inside: string, attributes = ''): string =>
	`<MulticastGatewayConfiguration ${attributes}>${inside}</MulticastGatewayConfiguration>`;

test('prefixes, years of the namespace and unknown elements make no difference', (t) => {
	const xml =
		'<n:MulticastGatewayConfiguration xmlns:n="urn:dvb:metadata:MulticastSessionConfiguration:2023" n:schemaVersion="0">' +
		'<n:Novelty><n:Deep/></n:Novelty><n:MulticastGatewayConfigurationTransportSession tags="x">' +
		`<n:TransportProtocol protocolIdentifier="${flute}" protocolVersion="1"/><n:Novelty/><n:EndpointAddress>` +
		'<n:NetworkDestinationGroupAddress> 232.1.1.1 </n:NetworkDestinationGroupAddress>' +
		'<n:TransportDestinationPort>5000</n:TransportDestinationPort><n:Novelty/></n:EndpointAddress>' +
		'</n:MulticastGatewayConfigurationTransportSession></n:MulticastGatewayConfiguration>';
	const {sessions, problems} = parseGatewayConfiguration(xml);
	t.like(sessions[0], {endpoint: {group: '232.1.1.1', port: 5000}, bitrateMaxBps: 0, fecEncodingId: 0});
	t.deepEqual(problems, []);
});

test('a broken session is told of and costs no other', (t) => {
	const broken = [
		addressOf('192.0.2.1'),
		addressOf('239.1.1.1', 0),
		addressOf('239.1.1.1', 65_536),
		addressOf('239.1.1.1', '0x50'),
		addressOf('239.1.1.999'),
		'<EndpointAddress/>',
		`<BitRate maximum="fast"/>${addressOf('239.1.1.1')}`,
	].map((inside) => sessionOf(inside));
	const {sessions, problems} = parseGatewayConfiguration(
		documentOf([...broken, sessionOf(addressOf('239.2.2.2')), sessionOf(addressOf('FF3E::1'))].join('')),
	);
	t.deepEqual(
		sessions.map(({endpoint}) => endpoint.group),
		['239.2.2.2', 'FF3E::1'],
	);
	t.is(problems.length, broken.length);
	t.true(problems.every(({code}) => code === 'STB_SIGNALLING_ENTRY_INVALID'));
	t.regex(problems[0]?.where ?? '', /TransportSession\[0\]\/EndpointAddress/u);
});

test('a ROUTE session is told of as unsupported', (t) => {
	const xml = documentOf(
		sessionOf(addressOf('239.1.1.1'), 'urn:dvb:metadata:cs:MulticastTransportProtocolCS:2019:ROUTE'),
	);
	const {sessions, problems} = parseGatewayConfiguration(xml);
	t.deepEqual(sessions, []);
	t.is(problems[0]?.code, 'STB_SIGNALLING_ENTRY_UNSUPPORTED');
});

test('broken repair parameters cost the repair and not the session', (t) => {
	const repair = '<UnicastRepairParameters><BaseURL>http://pop.example/</BaseURL></UnicastRepairParameters>';
	const script =
		'<UnicastRepairParameters transportObjectReceptionTimeout="10"><BaseURL>javascript:alert(1)</BaseURL>' +
		'</UnicastRepairParameters>';
	const {sessions, problems} = parseGatewayConfiguration(
		documentOf(sessionOf(addressOf('239.1.1.1') + repair) + sessionOf(addressOf('239.1.1.2') + script)),
	);
	t.deepEqual(
		sessions.map((session) => session.repair),
		[undefined, undefined],
	);
	t.is(problems.length, 2);
});

test('a session that stands under several services is one session, with the repair that any of them tells of', (t) => {
	const repair =
		'<UnicastRepairParameters transportObjectReceptionTimeout="10"><BaseURL>http://pop.example/</BaseURL>' +
		'</UnicastRepairParameters>';
	const xml = documentOf(sessionOf(addressOf('239.1.1.1')) + sessionOf(addressOf('239.1.1.1') + repair));
	const {sessions} = parseGatewayConfiguration(xml);
	t.is(sessions.length, 1);
	t.is(sessions[0]?.repair?.baseUrls[0]?.url, 'http://pop.example/');
	t.is(sessions[0]?.repair?.baseUrls[0]?.weight, 1);
});

test('more sessions than a gateway can join are cut off, and problems do not pile up', (t) => {
	const many = Array.from({length: 1000}, (_, index) => sessionOf(addressOf('239.1.1.1', index + 1)));
	const {sessions, problems} = parseGatewayConfiguration(documentOf(many.join('')));
	t.is(sessions.length, sessionsMax);
	t.is(problems.length, 100);
	t.is(problems[0]?.code, 'STB_SIGNALLING_TOO_LARGE');
});

test('an end of validity is read in every form of an MPEG-7 time point', (t) => {
	const validUntilOf = (text: string): number | undefined =>
		parseGatewayConfiguration(documentOf('', `validUntil="${text}"`)).validUntilMs;
	t.is(validUntilOf('2030-01-02'), Date.UTC(2030, 0, 2));
	t.is(validUntilOf('2030-01-02T03:04'), Date.UTC(2030, 0, 2, 3, 4));
	t.is(validUntilOf('2099-06-26T07:01:50:500F1000'), Date.UTC(2099, 5, 26, 7, 1, 50, 500));
	t.is(validUntilOf('2030-01-02T03:04:05+01:00'), Date.UTC(2030, 0, 2, 2, 4, 5));
	t.is(validUntilOf('2030-13-45'), undefined);
	t.is(validUntilOf('soon'), undefined);
});

test('another document is refused', (t) => {
	t.like(
		t.throws(() => parseGatewayConfiguration('<ServiceList/>')),
		{code: 'APPLIANCE_XML_UNEXPECTED'},
	);
});
