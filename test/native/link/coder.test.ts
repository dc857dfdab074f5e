import {readFileSync} from 'node:fs';
import test from 'ava';
import {type LinkFormat, openLinkDecoder, openLinkEncoder} from '#native/link/link.ts';
import {listModcods} from '#native/modem/modem.ts';
import {readPcap} from '#test/helper/read-pcap.ts';
import {datagramsOf, sampleDatagram, sampleFormats, sampleFrames, sampleTransport} from '#test/helper/sample-link.ts';
import {seededRandom} from '#test/helper/seeded-random.ts';

const rate = {bits: 10_000_000, seconds: 1};
const startUtcMs = Date.UTC(2026, 10, 21, 12);
const mpe: LinkFormat = {kind: 'mpe', transport: sampleTransport};
const sent = Array.from({length: 40}, (_, index) => sampleDatagram(Buffer.alloc(1 + index * 35, index)));

const unitsOf = (format: LinkFormat): Buffer => {
	const encoder = openLinkEncoder({format, rate, startUtcMs});
	for (const datagram of sent) {
		encoder.push(datagram);
	}
	return encoder.pull(format.kind === 'gse' || format.frames !== undefined ? 40 : 2000);
};

for (const [name, format] of Object.entries(sampleFormats)) {
	test(`${name}: datagrams come out of a stream of bytes as they went in, with where and when`, (t) => {
		const units = unitsOf(format);
		const decoder = openLinkDecoder({input: 'stream'});
		const half = Math.floor(units.length / 2) + 17;
		const results = [
			decoder.write(units.subarray(0, half), {timeMs: 1}),
			decoder.write(units.subarray(half), {timeMs: 2}),
		];
		t.deepEqual(
			results.flatMap(({datagrams}) => datagramsOf(datagrams)),
			sent,
		);
		t.deepEqual(
			results.flatMap(({findings}) => findings),
			[],
		);
		const [first] = results;
		t.is(first?.datagrams.timesMs[0], 1);
		t.true((first?.datagrams.positions[0] ?? 0) > 0);
		t.is(first?.datagrams.pids[0], format.kind === 'gse' ? 0xff_ff : 4097);
		const isNumbered = format.kind === 'gse' && format.frames.inputStream !== undefined;
		t.is(first?.datagrams.inputStreams[0], isNumbered ? 5 : 0xff_ff);
		t.is(decoder.stats().carrierBytes, units.length);
	});
}

test('layers add up: what a stream of constant rate is made of', (t) => {
	const encoder = openLinkEncoder({format: mpe, rate, startUtcMs});
	for (const datagram of sent) {
		encoder.push(datagram);
	}
	const units = encoder.pull(6649);
	const {encapsulatedBytes, signallingBytes, stuffingBytes, ipBytes, carrierBytes, queuedBytes} = encoder.stats();
	t.is(
		ipBytes,
		sent.reduce((sum, {length}) => sum + length, 0),
	);
	t.is(encapsulatedBytes, ipBytes + sent.length * 16);
	t.is(carrierBytes, units.length);
	t.is(queuedBytes, 0);
	// Headers and pointer fields of packets with payload are the rest.
	const {packets, nullPackets} = (() => {
		const decoder = openLinkDecoder({input: 'stream'});
		decoder.write(units);
		return decoder.stats();
	})();
	const carrying = packets - nullPackets - signallingBytes / 188;
	const heads = carrierBytes - encapsulatedBytes - signallingBytes - stuffingBytes;
	t.true(heads >= carrying * 4 && heads <= carrying * 5);
	// A second has PAT and PMTs every 90 ms, NIT and SDT every 500 ms, and a TDT.
	t.is(signallingBytes / 188, 12 * 3 + 2 * 2 + 1);
});

test('what is found: services, network, time, frames', (t) => {
	const decoder = openLinkDecoder({input: 'stream', select: {serviceIds: [5002]}});
	decoder.write(unitsOf(mpe));
	const {carrier, transports, frames} = decoder.contents();
	t.is(carrier, 'ts');
	t.deepEqual(frames, []);
	t.like(transports[0], {
		...{inputStream: 0xff_ff, transportStreamId: 1001, networkId: 7, networkName: 'StreamVerse', utcMs: startUtcMs},
		delivery: sampleTransport.delivery,
	});
	t.deepEqual(transports[0]?.services[0], {
		...{serviceId: 5001, pmtPid: 256, name: 'Kanál', provider: 'Edge'},
		streams: [{pid: 4097, streamType: 0x0d, dataBroadcastId: 5, kind: 'none'}],
	});
	t.is(transports[0]?.services[1]?.streams[0]?.kind, 'mpe');
	t.is(decoder.stats().datagrams, 0);
	const gse = openLinkDecoder({input: 'stream'});
	gse.write(unitsOf(sampleFormats['GSE-Lite with GSE-HEM headers of one of several streams'] ?? mpe));
	t.like(gse.contents(), {carrier: 'bbframe', transports: []});
	t.like(gse.contents().frames[0], {
		...{inputStream: 5, content: 'gse-hem', isSingleStream: false, isConstantCoding: false, isLite: true},
		...{rollOff: 0.05, frames: 40},
	});
});

test('each finding says what, where and when', (t) => {
	const units = unitsOf(mpe);
	const damaged = Buffer.from(units);
	const packet =
		188 * [...Array(2000).keys()].findIndex((index) => units.readUInt16BE(index * 188 + 1) % 8192 === 4097);
	damaged.writeUInt8((damaged[packet + 60] ?? 0) ^ 1, packet + 60);
	const decoder = openLinkDecoder({input: 'stream'});
	const {findings} = decoder.write(damaged, {timeMs: 5});
	t.like(findings[0], {kind: 'section-crc', pid: 4097, inputStream: 0xff_ff, timeMs: 5});
	t.is(decoder.stats().damage['section-crc'], findings.length);
});

test('every MODCOD of the modem has frames of its size, but those of VL-SNR, which an L.3 header cannot name', (t) => {
	for (const modcod of listModcods().filter(({pls}) => pls > 255)) {
		const frames = sampleFrames('QPSK 1/2', {modcod});
		t.throws(() => openLinkEncoder({format: {kind: 'gse', frames}, rate}), {code: 'NATIVE_LINK_ARGUMENT'});
	}
	const named = listModcods().filter(({pls}) => pls <= 255);
	for (const modcod of new Map(named.map((each) => [each.bbFrameBits, each])).values()) {
		const frames = sampleFrames('QPSK 1/2', {modcod});
		const encoder = openLinkEncoder({format: {kind: 'gse', frames}, rate});
		encoder.push(sent[20] ?? Buffer.alloc(0));
		const bytes = encoder.pull(4);
		t.is(bytes.length * 2, modcod.bbFrameBits);
		const decoder = openLinkDecoder({input: 'stream', bbFrameBits: modcod.bbFrameBits});
		t.deepEqual(datagramsOf(decoder.write(bytes).datagrams), [sent[20]]);
	}
});

test('what is too long, no IP or for no service is refused, and a full queue drops', (t) => {
	const encoder = openLinkEncoder({format: mpe, rate, queueBytesMax: 65_536});
	t.false(encoder.push(Buffer.alloc(100)));
	t.false(encoder.push(sampleDatagram(Buffer.alloc(4080))));
	t.false(encoder.push(sent[1] ?? Buffer.alloc(0), {serviceId: 77}));
	t.is(encoder.stats().refusedDatagrams, 3);
	const long = sampleDatagram(Buffer.alloc(4000));
	const taken = Array.from({length: 20}, () => encoder.push(long)).filter(Boolean).length;
	t.is(taken, Math.floor(65_536 / (long.length + 4)));
	t.like(encoder.stats(), {droppedDatagrams: 20 - taken, droppedBytes: (20 - taken) * long.length});
	const frames = sampleFrames();
	const lite = openLinkEncoder({format: {kind: 'gse', frames, isLite: true}, rate});
	t.false(lite.push(sampleDatagram(Buffer.alloc(1800))));
	t.true(lite.push(sampleDatagram(Buffer.alloc(1772))));
});

test('options that make no sense are refused with a code', (t) => {
	const refused = {code: 'NATIVE_LINK_ARGUMENT'};
	const [service] = sampleTransport.services;
	const withServices = (services: typeof sampleTransport.services): LinkFormat => ({
		kind: 'mpe',
		transport: {...sampleTransport, services},
	});
	t.throws(() => openLinkEncoder({format: withServices([]), rate}), refused);
	t.throws(
		() => openLinkEncoder({format: withServices(service === undefined ? [] : [service, service]), rate}),
		refused,
	);
	t.throws(() => openLinkEncoder({format: mpe, rate: {bits: 0, seconds: 1}}), refused);
	const modcod = {pls: 1, bbFrameBits: 5660};
	t.throws(() => openLinkEncoder({format: {kind: 'gse', frames: sampleFrames('QPSK 1/2', {modcod})}, rate}), refused);
	t.throws(() => openLinkDecoder({input: 'stream', bbFrameBits: 81}), refused);
});

test('random bytes make findings at most, as a stream and as datagrams', (t) => {
	const random = seededRandom(1);
	const bytes = Buffer.from(Array.from({length: 200_000}, () => Math.floor(random() * 256)));
	for (const input of ['stream', 'datagrams'] as const) {
		const decoder = openLinkDecoder({input});
		for (let at = 0; at < bytes.length; at += 1316) {
			decoder.write(bytes.subarray(at, at + 1316));
		}
		t.is(decoder.stats().datagrams, 0);
		t.is(decoder.stats().carrierBytes, bytes.length);
	}
});

const vector = (name: string): Buffer => readFileSync(new URL(`../../vectors/${name}`, import.meta.url));
const hello = '1011030000000000000000010000000068656c6c6f';

test("another program's MPE is read: its PMT has no descriptors", (t) => {
	const decoder = openLinkDecoder({input: 'stream'});
	const {datagrams, findings} = decoder.write(vector('mpe.ts.bin'));
	t.deepEqual(findings, []);
	t.deepEqual(
		datagramsOf(datagrams).map((datagram) => datagram.subarray(28).toString('hex')),
		[hello],
	);
	t.is(decoder.contents().transports[0]?.services[0]?.serviceId, 5001);
});

test("another program's GSE is read: with and without a label, and in two fragments", (t) => {
	const decoder = openLinkDecoder({input: 'datagrams'});
	const results = readPcap(vector('bbframe-gse.pcap')).map((payload) => decoder.write(payload));
	t.deepEqual(
		results.flatMap(({findings}) => findings),
		[],
	);
	t.deepEqual(
		results.flatMap(({datagrams}) => datagramsOf(datagrams).map((datagram) => datagram.subarray(28).toString('hex'))),
		[hello, hello, hello],
	);
	t.like(decoder.contents().frames[0], {content: 'gse', pls: 16, dataFieldBytes: 181});
});
