import {execFile} from 'node:child_process';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';
import test from 'ava';
import {XMLParser} from 'fast-xml-parser';
import {signallingPaths, signallingUris} from '#appliance/contract/gateway-session.ts';
import {titleListSchema} from '#appliance/contract/title-schema.ts';
import {signallingObjects} from '#headend/signalling/announce.ts';
import {createVersionBook} from '#headend/signalling/version-book.ts';
import {
	base,
	documentsOf,
	filmTitle,
	fixedClock,
	newsTitle,
	sampleFacts,
	startMs,
} from '#test/helper/sample-signalling.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const documents = documentsOf(sampleFacts);
const documentOf = (uri: string): string => documents.get(uri) ?? '';
const serviceListUri = base + signallingPaths.serviceList;

type Tree = readonly Readonly<Record<string, unknown>>[];

/** Element names in document order below the element at the end of the path. */
const childNames = (xml: string, ...path: readonly string[]): readonly string[] => {
	let nodes = new XMLParser({preserveOrder: true, ignoreDeclaration: true}).parse(xml) as Tree;
	for (const name of path) {
		nodes = (nodes.find((node) => name in node)?.[name] ?? []) as Tree;
	}
	return nodes.map((node) => Object.keys(node).find((key) => key !== ':@') ?? '');
};

test('the announcement channel carries every document under its name, type and rhythm', (t) => {
	const objects = signallingObjects(sampleFacts, createVersionBook({clock: fixedClock()}));
	t.deepEqual(
		objects.map(({uri, contentType, acquisitionMs}) => [uri, contentType, acquisitionMs]),
		[
			[signallingUris.bootstrap, 'application/xml+dvb-mabr-session-configuration', 1000],
			[signallingUris.networkInformation, 'application/xml+dvb-nip-nif', 500],
			[signallingUris.serviceInformation, 'application/xml+dvb-nip-sif', 500],
			[signallingUris.gatewayConfiguration, 'application/xml+dvb-mabr-session-configuration', 1000],
			[signallingUris.serviceListEntryPoints, 'application/xml', 1000],
			[serviceListUri, 'application/vnd.dvb.dvbisl+xml', 1000],
			[base + signallingPaths.titles, 'application/json', 2000],
		],
	);
});

test('the bootstrap names the announcement, what it carries, and every content session', (t) => {
	const xml = documentOf(signallingUris.bootstrap);
	const root = 'MulticastGatewayConfiguration';
	const session = 'MulticastGatewayConfigurationTransportSession';
	t.deepEqual(childNames(xml, root), [session, session, session]);
	t.deepEqual(childNames(xml, root, session), ['TransportProtocol', 'EndpointAddress', 'BitRate', 'ObjectCarousel']);
	t.deepEqual(childNames(xml, root, session, 'EndpointAddress'), [
		'NetworkSourceAddress',
		'NetworkDestinationGroupAddress',
		'TransportDestinationPort',
		'MediaTransportSessionIdentifier',
	]);
	t.true(xml.includes('xmlns="urn:dvb:metadata:MulticastSessionConfiguration:2024"'));
	t.true(xml.includes('ext:schemaVersion="2"'));
	t.notRegex(xml, /validityPeriod/u);
	t.regex(xml, /validUntil="2099-12-31T23:59:59"/u);
	for (const uri of documents.keys()) {
		t.is(xml.includes(`">${uri}</ResourceLocator>`), uri !== signallingUris.bootstrap, uri);
	}
	t.true(xml.includes(`<ResourceLocator targetAcquisitionLatency="PT0.5S">${signallingUris.networkInformation}<`));
});

test('the gateway configuration has a session per service in the order of the standard', (t) => {
	const xml = documentOf(signallingUris.gatewayConfiguration);
	const root = 'MulticastGatewayConfiguration';
	t.deepEqual(childNames(xml, root), ['MulticastGatewayConfigurationTransportSession', 'MulticastSession']);
	t.deepEqual(childNames(xml, root, 'MulticastSession'), [
		'PresentationManifestLocator',
		'PresentationManifestLocator',
		'MulticastTransportSession',
	]);
	t.deepEqual(childNames(xml, root, 'MulticastSession', 'MulticastTransportSession'), [
		'TransportProtocol',
		'EndpointAddress',
		'BitRate',
		'UnicastRepairParameters',
		'ServiceComponentIdentifier',
		'ServiceComponentIdentifier',
		'ObjectCarousel',
	]);
	t.regex(xml, /<SchemeIdentifier>urn:ietf:rmt:fec:encoding:5<\/SchemeIdentifier><OverheadPercentage>12</u);
	t.regex(xml, /protocolIdentifier="urn:dvb:metadata:cs:MulticastTransportProtocolCS:2019:FLUTE" protocolVersion="1"/u);
	t.regex(xml, /<BaseURL relativeWeight="3">http:\/\/pop-1\.example\/streamverse\/<\/BaseURL>/u);
	t.regex(xml, /sessionIdleTimeout="\d+"/u);
	const identifiers = [...xml.matchAll(/manifestId="(?<id>[^"]+)"/gu)].map(({groups}) => groups?.['id'] ?? '');
	t.is(new Set(identifiers).size, 2);
	for (const id of identifiers) {
		t.regex(id, /^[\w.-]+$/u, 'an NMTOKEN');
		t.true(xml.includes(`manifestIdRef="${id}"`));
	}
});

test('the two Native IP files tell how to tune and what there is', (t) => {
	const nif = documentOf(signallingUris.networkInformation);
	t.deepEqual(childNames(nif, 'NetworkInformationFile'), ['VersionUpdate', 'NIFType', 'ActualBroadcastNetwork']);
	t.deepEqual(childNames(nif, 'NetworkInformationFile', 'ActualBroadcastNetwork', 'NIPStream').slice(0, 6), [
		'LinkLayerFormat',
		'NIPStreamProviderName',
		'NIPCarrierID',
		'NIPLinkID',
		'NIPServiceID',
		'BootstrapStream',
	]);
	t.true(nif.includes('<Frequency>1172750</Frequency>'), 'units of 10 kHz');
	t.true(nif.includes('<OrbitalPosition>12.5</OrbitalPosition><West_East_flag>West</West_East_flag>'));
	t.true(nif.includes(`<VersionUpdate>${new Date(startMs).toISOString()}</VersionUpdate>`));
	const sif = documentOf(signallingUris.serviceInformation);
	t.true(sif.includes(`<URI>${serviceListUri}</URI>`));
	t.true(sif.includes(`<URI>${newsTitle.manifests[0]?.uri}</URI>`));
	t.false(sif.includes('vod/film'));
});

test('the service list gives each channel every way to receive it, the satellite cache first', (t) => {
	const xml = documentOf(serviceListUri);
	t.deepEqual(childNames(xml, 'ServiceList'), ['Name', 'ProviderName', 'LCNTableList', 'Service']);
	t.deepEqual(childNames(xml, 'ServiceList', 'Service'), [
		'UniqueIdentifier',
		...Array.from({length: 5}, () => 'ServiceInstance'),
		'ServiceName',
		'ProviderName',
		'RelatedMaterial',
		'ServiceType',
		'ServiceDescription',
	]);
	t.deepEqual(
		[...xml.matchAll(/<ServiceInstance priority="(?<priority>\d)" id="(?<id>\w+)"/gu)].map(({groups}) => ({...groups})),
		[
			{priority: '1', id: 'nip0'},
			{priority: '1', id: 'nip1'},
			{priority: '2', id: 'sat'},
			{priority: '3', id: 'web0'},
			{priority: '3', id: 'web1'},
		],
	);
	t.true(xml.includes('<DVBTriplet origNetId="1" tsId="2" serviceId="5001"/>'));
	t.regex(xml, /<LCN channelNumber="7" serviceRef="tag:streamverse\.example,2026:service\/news%2024%2F7"\/>/u);
	t.true(xml.includes('News "24/7" &lt;live&gt; &amp; more'));
});

test('a channel number that two services claim belongs to the first', (t) => {
	const second = {...newsTitle, id: 'other'};
	const xml = documentsOf({...sampleFacts, titles: [newsTitle, second]}).get(serviceListUri) ?? '';
	t.is(xml.match(/<LCN /gu)?.length, 1);
	t.is(xml.match(/<Service /gu)?.length, 2);
});

test('the list of titles is the contract’s', (t) => {
	const list = titleListSchema.parse(JSON.parse(documentOf(base + signallingPaths.titles)));
	t.deepEqual(list.titles, [newsTitle, filmTitle]);
});

test('equal facts give equal bytes, and a change of one channel bumps that channel and its list only', (t) => {
	const time = {nowMs: startMs};
	const versions = createVersionBook({clock: {nowMs: () => time.nowMs, monotonicMs: () => 0}});
	const other = {...newsTitle, id: 'other', channelNumber: 8};
	const facts = {...sampleFacts, titles: [newsTitle, other]};
	const first = documentsOf(facts, versions);
	time.nowMs += 10_000;
	t.deepEqual(documentsOf({...facts}, versions), first);
	const second = documentsOf({...facts, titles: [newsTitle, {...other, name: 'Another'}]}, versions);
	const changed = [...second].filter(([uri, text]) => first.get(uri) !== text).map(([uri]) => uri);
	t.deepEqual(changed, [serviceListUri, base + signallingPaths.titles]);
	const versionsOf = (xml = ''): readonly string[] =>
		[...xml.matchAll(/<Service(?:List)? [^>]*?version="(?<version>\d+)"/gu)].map(
			({groups}) => groups?.['version'] ?? '',
		);
	const before = versionsOf(first.get(serviceListUri));
	const after = versionsOf(second.get(serviceListUri));
	t.true(Number(after[0]) > Number(before[0]), 'the list');
	t.is(after[1], before[1], 'the channel that stayed');
	t.true(Number(after[2]) > Number(before[2]), 'the channel that changed');
});

const schemaDirectory = process.env['STREAMVERSE_XML_SCHEMAS'];
const schemaTest = schemaDirectory === undefined ? test.skip : test;

schemaTest('xmllint finds every document valid against the schemas of STREAMVERSE_XML_SCHEMAS', async (t) => {
	const directory = await withDirectory(t);
	const mabr = 'mabr/RECONSTRUCTED-MulticastSessionConfiguration-2024.xsd';
	const schemas: Readonly<Record<string, string>> = {
		[signallingUris.bootstrap]: mabr,
		[signallingUris.gatewayConfiguration]: mabr,
		[signallingUris.networkInformation]: 'nip/nip-2024.xsd',
		[signallingUris.serviceInformation]: 'nip/nip-2024.xsd',
		[signallingUris.serviceListEntryPoints]: 'dvbi/dvbi_service_list_discovery_v1.6.xsd',
		[serviceListUri]: 'dvbi/dvbi_v6.0.xsd',
	};
	const {satellite: _, ...terrestrial} = sampleFacts.network;
	const bare = {...sampleFacts, titles: [], repair: undefined, webBaseUrl: undefined, network: terrestrial};
	for (const variant of [documents, documentsOf(bare)]) {
		for (const [uri, schema] of Object.entries(schemas)) {
			const file = join(directory, 'document.xml');
			await writeFile(file, variant.get(uri) ?? '');
			const path = join(schemaDirectory ?? '', schema);
			await t.notThrowsAsync(promisify(execFile)('xmllint', ['--nonet', '--noout', '--schema', path, file]), uri);
		}
	}
});
