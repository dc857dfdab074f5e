import {randomBytes} from 'node:crypto';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {formatHtml} from '#cli/probe/report/format-html.ts';
import {runProbe} from '#cli/probe/run-probe.ts';
import {openLinkEncoder} from '#native/link/link.ts';
import {listModcods, openTransmitChain} from '#native/modem/modem.ts';
import {captured, fdtPackets, sampleFdt, symbolPackets} from '#test/helper/sample-flute.ts';
import {seededRandom} from '#test/helper/seeded-random.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {type CapturedPayload, captureFile, ipv4Datagram, nextGenerationCapture} from '#test/helper/write-capture.ts';

const tuning = {symbolRate: 1_000_000, samplesPerSymbol: 2, rollOff: 0.2, goldIndex: 0} as const;
const startMs = Date.UTC(2026, 10, 21);
const film = {toi: 7, uri: 'http://dvb.gw/streamverse/film.m4s', bytes: randomBytes(20_050)};
const filmSymbols = 201;

/** Three transmissions, two seconds apart, each after its FDT; some symbols of the second are missing. */
const programme = (lost: readonly number[] = []): readonly CapturedPayload[] =>
	[0, 1, 2].flatMap((round) => {
		const symbols = symbolPackets(1, film.toi, film.bytes).filter((_, index) => round !== 1 || !lost.includes(index));
		const fdt = fdtPackets(1, 3, sampleFdt([film], startMs + 3_600_000));
		return captured([...fdt, ...symbols], {startMs: startMs + round * 2000});
	});

const probe = async (
	t: ExecutionContext,
	name: string,
	bytes: Buffer,
	options: {readonly bitRateBps?: number} = {},
) => {
	const path = join(await withDirectory(t), name);
	await writeFile(path, bytes);
	const {signal} = new AbortController();
	return await runProbe({
		source: path,
		forMs: 1000,
		follows: true,
		tuning,
		signal,
		onProgress: () => undefined,
		...options,
	});
};

const forms = [
	['pcap of bare IP', 'a.pcap', captureFile(programme([9, 10, 200]))],
	['pcap of Ethernet with a VLAN', 'a.pcap', captureFile(programme([9, 10, 200]), 'ethernet')],
	['pcapng, big-endian', 'a.pcapng', nextGenerationCapture(programme([9, 10, 200]))],
] as const;
for (const [what, name, bytes] of forms) {
	test(`objects, cycles and losses are read from a ${what}`, async (t) => {
		const report = await probe(t, name, bytes);
		t.is(report.sessions.length, 1);
		t.like(report.sessions[0], {
			group: '239.255.1.1',
			port: 5001,
			tsi: 1,
			objects: 1,
			lostSymbols: 3,
			announced: false,
		});
		const [object] = report.objects;
		t.like(object, {
			uri: film.uri,
			sizeBytes: film.bytes.length,
			transmissions: 3,
			wholeTransmissions: 2,
			lostSymbols: 3,
		});
		t.is(object?.sourceSymbols, filmSymbols * 3 - 3);
		t.true(Math.abs((object?.cycleMs?.mean ?? 0) - 2000) < 1, `${object?.cycleMs?.mean}`);
		t.true(
			report.findings.some(({clause}) => clause === 'TS 103 876 clause 8.2.2'),
			'no announcement was there',
		);
		t.deepEqual(
			report.findings.filter(({severity}) => severity === 'error'),
			[],
		);
	});
}

test('a capture that begins and ends within a transmission counts nothing of that as lost', async (t) => {
	const packets = programme();
	const report = await probe(t, 'a.pcap', captureFile(packets.slice(80, -80)));
	t.like(report.objects[0], {lostSymbols: 0, transmissions: 3});
});

test('symbols that come twice at once are duplicates, and not another transmission', async (t) => {
	const twice = programme().flatMap((each) => [each, each]);
	const report = await probe(t, 'a.pcap', captureFile(twice));
	t.like(report.objects[0], {lostSymbols: 0, transmissions: 3, duplicates: filmSymbols * 3});
});

test('the same comes out of a transport stream, with its tables, and with times by its rate', async (t) => {
	const transport = {
		...{transportStreamId: 1001, originalNetworkId: 1, networkId: 7, networkName: 'Test'},
		services: [{serviceId: 5001, name: 'NIP', provider: 'Us', pmtPid: 501, pid: 500}],
	};
	const rate = {bits: 2_000_000, seconds: 1};
	const encoder = openLinkEncoder({format: {kind: 'mpe', transport}, rate});
	const pieces = [0, 1, 2].flatMap((round) => {
		for (const each of programme().slice((round * programme().length) / 3, ((round + 1) * programme().length) / 3)) {
			t.true(encoder.push(ipv4Datagram(each)));
		}
		return encoder.pull(2660);
	});
	const report = await probe(t, 'mux.ts', Buffer.concat(pieces), {bitRateBps: 2_000_000});
	t.like(report.objects[0], {uri: film.uri, transmissions: 3, wholeTransmissions: 3});
	t.true(Math.abs((report.objects[0]?.cycleMs?.mean ?? 0) - 2000) < 40, `${report.objects[0]?.cycleMs?.mean}`);
	t.like(report.carriers[0]?.contents, {carrier: 'ts', transports: [{transportStreamId: 1001, networkId: 7}]});
	t.deepEqual(
		report.layers.map(({layer}) => layer),
		['carrier', 'sections, SNDUs or GSE', 'IP', 'FLUTE sessions', 'objects, with repair symbols'],
	);
	const damaged = Buffer.concat([...pieces.slice(0, 1), Buffer.concat(pieces.slice(1)).subarray(188 * 40)]);
	const findings = (await probe(t, 'mux.ts', damaged, {bitRateBps: 2_000_000})).findings;
	t.true(
		findings.some(({clause}) => clause === 'ISO 13818-1 section 2.4.3.3'),
		JSON.stringify(findings),
	);
});

test('what breaks the profile is told with its clause', async (t) => {
	const changed = {...film, uri: 'http://dvb.gw/streamverse/other.m4s'};
	const report = await probe(
		t,
		'a.pcap',
		captureFile([
			...captured(fdtPackets(1, 3, sampleFdt([film], startMs - 1000), 2), {startMs}),
			...captured(fdtPackets(1, 3, sampleFdt([changed], startMs - 1000)), {startMs: startMs + 1000}),
			...captured(symbolPackets(1, 99, Buffer.alloc(300)), {startMs: startMs + 2000}),
		]),
	);
	const messages = report.findings.map(({message, clause}) => `${clause}: ${message}`).join('\n');
	t.regex(messages, /RFC 3926 section 3\.4\.1: The body of an FDT instance changed/u);
	t.regex(messages, /RFC 3926 section 3\.4\.2: The newest FDT instance had expired/u);
	t.regex(messages, /RFC 3926 section 3\.3: Objects are on air that no FDT/u);
	t.regex(messages, /TS 103 769 annex F: EXT_FDT tells FLUTE version 2/u);
});

test('no damage makes it throw anything but a coded error', async (t) => {
	const random = seededRandom(7);
	const good = captureFile(programme([3]));
	const next = nextGenerationCapture(programme([3]).slice(0, 300));
	for (let round = 0; round < 60; round += 1) {
		const bytes = Buffer.from(round % 2 === 0 ? good : next);
		for (let hit = 0; hit < 1 + round; hit += 1) {
			bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
		}
		const cut = bytes.subarray(0, Math.floor(random() * bytes.length));
		for (const each of [bytes, cut]) {
			try {
				await probe(t, 'hostile.pcap', each);
			} catch (error) {
				t.regex((error as {code?: string}).code ?? `${error}`, /^(?:CLI_PROBE|NATIVE)_/u);
			}
		}
	}
	t.pass();
});

test('what is none of them is refused with a code', async (t) => {
	await t.throwsAsync(probe(t, 'text.txt', Buffer.from('nothing of the kind\n'.repeat(500))), {
		code: 'CLI_PROBE_STREAM',
	});
	await t.throwsAsync(probe(t, 'empty', Buffer.alloc(0)), {code: 'CLI_PROBE_SOURCE_UNKNOWN'});
});

test('the same comes out of samples, with their MODCOD, constellation and spectrum', async (t) => {
	const modcod = listModcods().find(({name, frame, pilots}) => name === 'QPSK 3/4' && frame === 'short' && pilots);
	if (modcod === undefined) {
		return t.fail();
	}
	const encoder = openLinkEncoder({
		format: {kind: 'gse', frames: {modcod, rollOff: 0.2}},
		rate: {bits: 1_000_000, seconds: 1},
	});
	for (const each of programme()) {
		t.true(encoder.push(ipv4Datagram(each)));
	}
	const {pls} = modcod;
	const samplesPerSymbol = {interpolate: 2, decimate: 1};
	const chain = openTransmitChain({
		...{pls, goldIndex: 0, input: 'bbframe', stage: 'iq', rollOff: 0.2, samplesPerSymbol, format: 'float'},
	});
	const samples = Buffer.concat([chain.write(encoder.pull(90)), chain.finish()]);
	const report = await probe(t, 'a.cf32', samples);
	t.like(report.objects[0], {uri: film.uri, transmissions: 3, wholeTransmissions: 3});
	t.like(report.signal, {modcod: 'QPSK 3/4 short with pilots', failedFrames: 0});
	t.true((report.signal?.constellation.length ?? 0) > 100);
	const spectrum = report.signal?.spectrumDb ?? [];
	t.true((spectrum[256] ?? -99) > -10 && (spectrum[5] ?? 0) < -25, 'a carrier stands in the middle of the band');
	t.regex(formatHtml(report), /aria-label="Constellation".*aria-label="Spectrum"/su);
	await t.throwsAsync(probe(t, 'noise.cf32', Buffer.from(new Float32Array(60_000).fill(0.3).buffer)), {
		code: 'CLI_PROBE_SAMPLES',
	});
});
