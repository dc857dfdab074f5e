import {execFile} from 'node:child_process';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {type LinkFormat, openEncapsulator, openLinkEncoder} from '#native/link/link.ts';
import {listModcods} from '#native/modem/modem.ts';
import {freeUdpPort} from '#test/helper/free-udp-port.ts';
import {sampleDatagram, sampleFrames, sampleTransport} from '#test/helper/sample-link.ts';
import {withDatagrams} from '#test/helper/with-datagrams.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {writePcap} from '#test/helper/write-pcap.ts';

const run = promisify(execFile);
const interfaceAddress = '127.0.0.1';
const rate = {bits: 10_000_000, seconds: 1};
const wholeFrames = ['-o', 'dvb-s2_modeadapt.full_decode:TRUE', '-o', 'dvb-s2_modeadapt.decode_df:TRUE'];
const payloads = Array.from({length: 12}, (_, index) => Buffer.alloc(1 + index * 140, index));

const encoded = (format: LinkFormat, units: number): Buffer => {
	const encoder = openLinkEncoder({format, rate, startUtcMs: Date.UTC(2026, 10, 21, 12)});
	for (const payload of payloads) {
		encoder.push(sampleDatagram(payload));
	}
	return encoder.pull(units);
};

/** The fields that tshark finds in each packet; a field that comes several times is a list. */
const fieldsOf = async (
	path: string,
	fields: readonly string[],
	options: readonly string[] = [],
): Promise<readonly Readonly<Record<string, readonly string[]>>[]> => {
	const wanted = fields.flatMap((field) => ['-e', field]);
	const {stdout} = await run('tshark', ['-r', path, ...options, '-T', 'json', ...wanted], {
		maxBuffer: 256 * 1024 * 1024,
	});
	type Packet = {readonly _source: {readonly layers: Readonly<Record<string, readonly string[]>>}};
	return (JSON.parse(stdout) as readonly Packet[]).map(({_source}) => _source.layers);
};

const withTransport = async (t: ExecutionContext, kind: 'mpe' | 'ule'): Promise<string> => {
	const path = join(await withDirectory(t), 'sent.ts');
	await writeFile(path, encoded({kind, transport: sampleTransport}, 2000));
	return path;
};

/** Of the inner datagrams, in their order. */
const innerPayloads = (packets: readonly Readonly<Record<string, readonly string[]>>[]): readonly string[] =>
	packets.flatMap((layers) => layers['data.data'] ?? []);
const wantedPayloads = payloads.map((payload) => payload.toString('hex'));

test('tshark reads the tables of a transport stream, and the datagrams of its MPE sections', async (t) => {
	const path = await withTransport(t, 'mpe');
	const packets = await fieldsOf(path, [
		...['mpeg_pat.prog_num', 'mpeg_pat.prog_map_pid', 'mpeg_pmt.stream.type', 'mpeg_pmt.stream.elementary_pid'],
		...['mpeg_descr.data_bcast.id', 'dvb_nit.sid', 'mpeg_descr.net_name.name'],
		...['mpeg_descr.sat_delivery.freq', 'mpeg_descr.sat_delivery.symbol_rate'],
		...['mpeg_descr.svc.svc_name', 'dvb_tdt.utc_time', 'data.data', '_ws.malformed', 'mp2t.cc.drop'],
	]);
	const all = (field: string) => [...new Set(packets.flatMap((layers) => layers[field] ?? []))];
	t.deepEqual(all('mpeg_pat.prog_num'), ['0x0000', '0x1389', '0x138a']);
	t.deepEqual(all('mpeg_pmt.stream.type'), ['0x0d']);
	t.deepEqual(all('mpeg_pmt.stream.elementary_pid'), ['0x1001', '0x1002']);
	t.deepEqual(all('mpeg_descr.data_bcast.id'), ['0x0005']);
	t.deepEqual(all('mpeg_descr.net_name.name'), ['StreamVerse']);
	t.deepEqual(all('mpeg_descr.svc.svc_name'), ['Kanál', 'Other']);
	t.is(Number(all('mpeg_descr.sat_delivery.freq')[0]), 11.7275);
	t.is(Number.parseFloat(all('mpeg_descr.sat_delivery.symbol_rate')[0] ?? ''), 27.5);
	t.regex(all('dvb_tdt.utc_time')[0] ?? '', /Nov 21, 2026 12:00:00/);
	t.deepEqual(innerPayloads(packets), wantedPayloads);
	t.deepEqual([...all('_ws.malformed'), ...all('mp2t.cc.drop')], []);
});

test('ffprobe lists the services by their names, with the PIDs that carry IP', async (t) => {
	const entries = 'program=program_id:program_tags:stream=id';
	const args = ['-v', 'error', '-of', 'json', '-show_entries', entries, await withTransport(t, 'mpe')];
	const {stdout} = await run('ffprobe', args);
	const {programs} = JSON.parse(stdout) as {
		readonly programs: readonly {
			readonly program_id: number;
			readonly tags: {readonly service_name: string; readonly service_provider: string};
			readonly streams: readonly {readonly id: string}[];
		}[];
	};
	t.deepEqual(
		programs.map(({program_id: serviceId, tags, streams}) => [serviceId, tags.service_name, streams[0]?.id]),
		[
			[5001, 'Kanál', '0x1001'],
			[5002, 'Other', '0x1002'],
		],
	);
});

test('tshark reads mode adaptation, BBHEADER and GSE packets, and reassembles their fragments', async (t) => {
	const format: LinkFormat = {kind: 'gse', frames: sampleFrames()};
	const {bbFrameBits} = sampleFrames().modcod;
	const path = join(await withDirectory(t), 'sent.pcap');
	const frames = encoded(format, 4);
	const frameBytes = bbFrameBits / 8;
	const sent = Array.from({length: 4}, (_, number) =>
		Buffer.concat([Buffer.of(0xb8, 14, 0, number), frames.subarray(number * frameBytes, (number + 1) * frameBytes)]),
	);
	await writePcap(path, {group: '239.0.0.1', port: 2000, payloads: sent});
	const fields = ['dvb-s2_bb.matype1.tsgs', 'dvb-s2_bb.dfl', 'dvb-s2_bb.crc.status', 'dvb-s2_gse.crc.status'];
	const packets = await fieldsOf(
		path,
		[...fields, 'dvb-s2_gse.label_ether', 'data.data', '_ws.malformed', 'dvb-s2_gse.hdr.length_invalid'],
		[...wholeFrames, '-d', 'udp.port==2000,dvb-s2_modeadapt'],
	);
	t.deepEqual(
		packets.map((layers) => [layers['dvb-s2_bb.matype1.tsgs'], layers['dvb-s2_bb.crc.status']]),
		[1, 2, 3, 4].map(() => [['1'], ['1']]),
	);
	// The first frame is full, so that a datagram goes on in the second; nothing waits for the third.
	t.is(Number(packets[0]?.['dvb-s2_bb.dfl']?.[0]), bbFrameBits - 80);
	t.deepEqual(packets[1]?.['dvb-s2_gse.crc.status'], ['1']);
	t.deepEqual(packets[2]?.['dvb-s2_bb.dfl'], ['0']);
	t.deepEqual([...new Set(packets.flatMap((layers) => layers['dvb-s2_gse.label_ether'] ?? []))], ['01:00:5e:01:02:03']);
	t.deepEqual(innerPayloads(packets), wantedPayloads);
	t.deepEqual(
		packets.flatMap((layers) => [
			...(layers['_ws.malformed'] ?? []),
			...(layers['dvb-s2_gse.hdr.length_invalid'] ?? []),
		]),
		[],
	);
});

test('frames that leave by UDP tell MODCOD, pilots and their number', async (t) => {
	const {group, port, atLeast} = await withDatagrams(t);
	// Small enough for what a receiver of datagrams takes.
	const modcod = listModcods().find(({name, frame, pilots}) => name === 'QPSK 1/4' && frame === 'normal' && pilots);
	t.truthy(modcod);
	const inner = {group: '239.1.2.3', port: await freeUdpPort(), interfaceAddress};
	await using encapsulator = openEncapsulator({
		format: {kind: 'gse', frames: sampleFrames('QPSK 1/4', modcod === undefined ? {} : {modcod})},
		...{rate: {bits: 2_000_000, seconds: 1}, inputs: [inner], output: {kind: 'udp', group, port, interfaceAddress}},
	});
	const received = await atLeast(8);
	const path = join(await withDirectory(t), 'sent.pcap');
	await writePcap(path, {group, port, payloads: received.slice(0, 8)});
	const command = 'dvb-s2_modeadapt.acmcmd';
	const packets = await fieldsOf(
		path,
		[
			`${command}.modcod`,
			`${command}.pilots`,
			`${command}.fecframe`,
			'dvb-s2_modeadapt.frameno',
			'dvb-s2_bb.crc.status',
		],
		[...wholeFrames, '-d', `udp.port==${port},dvb-s2_modeadapt`],
	);
	const first = Number(packets[0]?.['dvb-s2_modeadapt.frameno']?.[0]);
	t.deepEqual(
		packets.map((layers) => Object.values(layers).flat().map(Number)),
		packets.map((_, index) => [1, 1, 0, (first + index) % 256, 1]),
	);
	t.is(encapsulator.stats().lostBytes, 0);
});
