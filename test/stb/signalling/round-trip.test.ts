import test from 'ava';
import {signallingPaths, signallingUris} from '#appliance/contract/gateway-session.ts';
import {parseGatewayConfiguration} from '#stb/signalling/parse-gateway-configuration.ts';
import {parseNetworkInformation} from '#stb/signalling/parse-network-information.ts';
import {parseServiceList} from '#stb/signalling/parse-service-list.ts';
import {parseTitles} from '#stb/signalling/parse-titles.ts';
import {titlesOfServiceList} from '#stb/signalling/titles-of-service-list.ts';
import {base, documentsOf, filmTitle, newsTitle, sampleFacts} from '#test/helper/sample-signalling.ts';

const documents = documentsOf(sampleFacts);
const documentOf = (uri: string): string => documents.get(uri) ?? '';
const [files, live] = sampleFacts.content;

test('the set-top reads from the bootstrap every session that the headend announced', (t) => {
	const {sessions, problems, services} = parseGatewayConfiguration(documentOf(signallingUris.bootstrap));
	t.deepEqual(
		sessions.map(({endpoint}) => endpoint),
		[sampleFacts.announcement.endpoint, files?.endpoint, live?.endpoint],
	);
	t.deepEqual(problems, []);
	t.deepEqual(services, []);
});

test('the set-top reads repair, FEC and services from the gateway configuration', (t) => {
	const parsed = parseGatewayConfiguration(documentOf(signallingUris.gatewayConfiguration));
	t.deepEqual(parsed.problems, []);
	t.like(parsed.sessions[0], {bitrateMaxBps: 20_000_000, fecEncodingId: 5, fecOverheadPercent: 12});
	t.like(parsed.sessions[1], {id: 'live', fecEncodingId: 0, fecOverheadPercent: 0});
	for (const session of parsed.sessions) {
		t.deepEqual(session.repair, sampleFacts.repair);
	}
	t.deepEqual(parsed.services, [
		{
			serviceIdentifier: 'tag:streamverse.example,2026:service/news%2024%2F7',
			manifests: newsTitle.manifests.map(({uri, contentType}) => ({uri, contentType})),
		},
	]);
	t.is(parsed.validUntilMs, Date.UTC(2099, 11, 31, 23, 59, 59));
	const dated = documentsOf({...sampleFacts, validUntilMs: 1_800_000_000_000}).get(signallingUris.gatewayConfiguration);
	t.is(parseGatewayConfiguration(dated ?? '').validUntilMs, 1_800_000_000_000);
});

test('channels come out of the service list as the titles that went in', (t) => {
	const list = parseServiceList(documentOf(base + signallingPaths.serviceList));
	t.deepEqual(list.problems, []);
	t.deepEqual(
		list.services[0]?.instances.map(({id, priority, delivery}) => [id, priority, delivery.kind]),
		[
			['nip0', 1, 'native-ip'],
			['nip1', 1, 'native-ip'],
			['sat', 2, 'satellite'],
			['web0', 3, 'web'],
			['web1', 3, 'web'],
		],
	);
	t.like(list.services[0]?.instances[2]?.delivery, {
		serviceId: 5001,
		originalNetworkId: 1,
		transportStreamId: 2,
		orbitalPositionDegrees: -12.5,
		frequencyKhz: 11_727_500,
	});
	// A NUL cannot be said in XML, and became the replacement character.
	t.deepEqual(titlesOfServiceList(list), [{...newsTitle, description: 'All day\uFFFD & all night'}]);
});

test('titles and tuning facts survive the way', (t) => {
	t.deepEqual(parseTitles(documentOf(base + signallingPaths.titles)), {
		titles: [newsTitle, filmTitle],
		problems: [],
	});
	const network = parseNetworkInformation(documentOf(signallingUris.networkInformation));
	t.like(network, {networkId: 318, name: 'StreamVerse East', problems: []});
	t.like(network.streams[0], {carrierId: 7600, linkId: 0, serviceId: 5001, linkLayerFormat: 'TS'});
	t.deepEqual(network.streams[0]?.tuning, {
		system: 'DVB-S2',
		frequencyKhz: 11_727_500,
		symbolRateKsps: 27_500,
		polarization: 'vertical',
		modulation: '8PSK',
		rollOff: '0.20',
		codeRate: '3/4',
		inputStreamIdentifier: 3,
		scramblingSequenceIndex: 0,
	});
});
