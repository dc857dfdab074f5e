import {execFile} from 'node:child_process';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {gzipSync} from 'node:zlib';
import test, {type ExecutionContext} from 'ava';
import type {FluteJob} from '#native/flute/sender.ts';
import {withDatagrams} from '#test/helper/with-datagrams.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withFluteSender} from '#test/helper/with-flute-sender.ts';
import {writePcap} from '#test/helper/write-pcap.ts';

const run = promisify(execFile);
const deadlineMs = 30_000;

type Job = Omit<FluteJob, 'lane' | 'destination'>;

/** Sends one job, and has tshark print the fields of every packet. */
const decode = async (
	t: ExecutionContext,
	job: Job,
	fields: readonly string[],
): Promise<readonly (readonly string[])[]> => {
	const {group, port, atLeast} = await withDatagrams(t);
	const {sender, events} = withFluteSender(t);
	sender.enqueue({...job, lane: 'main', destination: {group, port}});
	await sender.drain({signal: AbortSignal.timeout(deadlineMs)});
	const sent = events.find((event) => event.kind === 'sent');
	const payloads = await atLeast(sent?.kind === 'sent' ? sent.packets : 1);
	const path = join(await withDirectory(t), 'sent.pcap');
	await writePcap(path, {group, port, payloads});
	const {stdout} = await run('tshark', [
		...['-r', path, '-d', `udp.port==${port},alc`, '-T', 'fields', '-E', 'separator=/t'],
		...fields.flatMap((field) => ['-e', field]),
	]);
	return stdout
		.replace(/\n$/, '')
		.split('\n')
		.map((line) => line.split('\t'));
};

/** tshark 4.0 names id 5 but leaves its payload id in the data: SBN of 24 bits, ESI of 8 (RFC 5510 section 5.1). */
const payloadId = (data = ''): readonly number[] => [
	Number.parseInt(data.slice(0, 6), 16),
	Number.parseInt(data.slice(6, 8), 16),
];

const widths = test.macro(async (t, widthBits: 16 | 32 | 48, tsi: number, toi: number) => {
	// tshark has fields of their own for what may exceed 32 bits.
	const suffix = widthBits === 48 ? '64' : '';
	const rows = await decode(
		t,
		{
			...{tsi, toi, widthBits, source: {kind: 'bytes', bytes: new Uint8Array(250)}},
			fec: {encodingId: 0, symbolBytes: 100, sourceBlockSymbolsMax: 2, repairSymbolsPerBlock: 0},
		},
		[
			...['rmt-lct.version', `rmt-lct.tsi${suffix}`, `rmt-lct.toi${suffix}`, 'rmt-lct.codepoint'],
			...['rmt-fec.encoding_id', 'rmt-fec.sbn', 'rmt-fec.esi', '_ws.malformed'],
		],
	);
	t.deepEqual(
		rows.map((row) => row.map(Number)),
		[
			[1, tsi, toi, 0, 0, 0, 0, 0],
			[1, tsi, toi, 0, 0, 0, 1, 0],
			[1, tsi, toi, 0, 0, 1, 0, 0],
		],
	);
});

test('tshark reads TSI and TOI of 16 bits', widths, 16, 65_534, 65_535);
test('tshark reads TSI and TOI of 32 bits', widths, 32, 65_536, 4_294_967_295);
test('tshark reads TSI and TOI of 48 bits', widths, 48, 2 ** 40 + 1, 2 ** 48 - 1);

test('tshark reads the payload ids of Reed-Solomon blocks, repair symbols behind their source', async (t) => {
	const rows = await decode(
		t,
		{
			...{tsi: 1, toi: 9, source: {kind: 'bytes', bytes: new Uint8Array(650)}, closeObject: true},
			fec: {encodingId: 5, symbolBytes: 100, sourceBlockSymbolsMax: 4, repairSymbolsPerBlock: 2},
		},
		[
			...['rmt-lct.version', 'rmt-lct.tsi', 'rmt-lct.toi', 'rmt-lct.codepoint', 'rmt-fec.encoding_id'],
			...['rmt-lct.flags.close_object', '_ws.malformed', 'data.data'],
		],
	);
	// 7 symbols in two blocks of 4 and 3 (RFC 5052 section 9.1), each with two repair symbols.
	const ids = [0, 1, 2, 3, 4, 5].map((esi) => [0, esi]).concat([0, 1, 2, 3, 4].map((esi) => [1, esi]));
	t.deepEqual(
		rows.map((row) => [...row.slice(0, -1).map(Number), ...payloadId(row.at(-1))]),
		ids.map(([sbn = 0, esi = 0], index) => [1, 1, 9, 5, 5, index === ids.length - 1 ? 1 : 0, 0, sbn, esi]),
	);
});

test('tshark reads an FDT instance: EXT_FDT, EXT_FTI and the XML itself', async (t) => {
	const xml =
		'<?xml version="1.0"?><FDT-Instance Expires="4000000000"><File TOI="1" Content-Location="a"/></FDT-Instance>';
	const rows = await decode(
		t,
		{
			...{tsi: 0, toi: 0, widthBits: 16, fdt: {instanceId: 0xf_fff0, version: 1}, senderTime: true},
			source: {kind: 'bytes', bytes: Buffer.from(xml)},
			fec: {encodingId: 0, symbolBytes: 1400, sourceBlockSymbolsMax: 64, repairSymbolsPerBlock: 0},
		},
		[
			...['rmt-lct.toi', 'rmt-lct.fdt_instance_id', 'rmt-fec.fti.transfer_length'],
			...['rmt-fec.fti.encoding_symbol_length', 'rmt-fec.fti.max_source_block_length', 'xml.tag', '_ws.malformed'],
		],
	);
	t.is(rows.length, 1);
	const [toi, instanceId, transferLength, symbolBytes, blockMax, tags = '', malformed] = rows[0] ?? [];
	t.deepEqual([toi, instanceId, transferLength, symbolBytes, blockMax].map(Number), [
		0,
		0xf_fff0,
		xml.length,
		1400,
		64,
	]);
	t.regex(tags, /FDT-Instance.*File TOI/s);
	t.falsy(malformed);
});

test('tshark finds no fault with a compressed FDT instance coded by Reed-Solomon', async (t) => {
	const body = gzipSync(Buffer.alloc(5000, 'FDT'));
	const rows = await decode(
		t,
		{
			...{tsi: 7, toi: 0, fdt: {instanceId: 3, version: 2}, contentEncoding: 'gzip', sessionClose: true},
			source: {kind: 'bytes', bytes: body},
			fec: {encodingId: 5, symbolBytes: 64, sourceBlockSymbolsMax: 64, repairSymbolsPerBlock: 2},
		},
		['rmt-lct.flute_version', 'rmt-lct.fdt_instance_id', 'rmt-lct.flags.close_session', '_ws.malformed', 'data.data'],
	);
	const symbols = Math.ceil(body.length / 64) + 2;
	t.deepEqual(
		rows.map((row) => [...row.slice(0, -1).map(Number), ...payloadId(row.at(-1))]),
		Array.from({length: symbols}, (_, esi) => [2, 3, esi === symbols - 1 ? 1 : 0, 0, 0, esi]),
	);
});
