import {randomBytes} from 'node:crypto';
import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import {gunzipSync} from 'node:zlib';
import test from 'ava';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withFluteReceiver} from '#test/helper/with-flute-receiver.ts';
import {encodings, type PeerSenderOptions, sendAsPeer} from './with-peer.ts';

const plainFec = {encodingId: 0, symbolBytes: 1400, sourceBlockSymbolsMax: 64, repairSymbolsPerBlock: 0} as const;
const reedSolomon = {encodingId: 5, symbolBytes: 1400, sourceBlockSymbolsMax: 40, repairSymbolsPerBlock: 8} as const;

const text = Buffer.from('A manifest that repeats itself. '.repeat(400));
const objects: Readonly<Record<string, Buffer>> = {
	'http://dvb.gw/peer/film/segment-1.m4s': randomBytes(600_123),
	'http://dvb.gw/peer/one-symbol': randomBytes(1400),
	'http://dvb.gw/peer/one-byte': Buffer.from('1'),
	'http://dvb.gw/peer/no-byte': Buffer.alloc(0),
	'http://dvb.gw/peer/manifest.mpd': text,
};

const defaults = {
	tsi: 7,
	firstToi: 1,
	version: 1,
	fdtInstanceId: 1,
	fdtEncoding: encodings.none,
	fdtProfile: 'extended',
	fec: plainFec,
	dropEsi: [],
	rateBps: 20_000_000,
} as const satisfies Partial<PeerSenderOptions>;

const receives = test.macro(async (t, options: Partial<PeerSenderOptions>, objectEncoding: number = encodings.none) => {
	const reception = await withFluteReceiver(t);
	const {group, port, interfaceAddress} = reception.endpoint;
	const directory = await withDirectory(t);
	const files = await Promise.all(
		Object.entries(objects).map(async ([location, bytes], index) => {
			const file = path.join(directory, String(index));
			await writeFile(file, bytes);
			return {path: file, location, type: 'application/octet-stream', encoding: objectEncoding};
		}),
	);
	const sending = {...defaults, ...options};
	await sendAsPeer(t, {...sending, group, port, interface: interfaceAddress, files});
	for (const [location, bytes] of Object.entries(objects)) {
		const received = await reception.bytesOf(location);
		t.true((objectEncoding === encodings.none ? received : gunzipSync(received)).equals(bytes), location);
	}
	const tois = reception.all('appeared').map(({object}) => Number(object.toi));
	t.is(Math.min(...tois), sending.firstToi);
	t.true(reception.all('appeared').every(({object}) => object.tsi === sending.tsi));
	t.true(reception.all('fdt').some(({instanceId}) => instanceId === sending.fdtInstanceId));
	const {malformedPackets, unsupportedPackets, fdtRefused} = reception.receiver.stats();
	t.deepEqual(
		{malformedPackets, unsupportedPackets, fdtRefused},
		{malformedPackets: 0, unsupportedPackets: 0, fdtRefused: 0},
	);
});

test('a FLUTE v1 session is received byte by byte', receives, {version: 1});
test('a FLUTE v2 session is received byte by byte', receives, {version: 2});
test('an FDT in the profile of TS 26.346 is read', receives, {fdtProfile: 'ts-126-346-l6'});
for (const encoding of ['zlib', 'deflate', 'gzip'] as const) {
	test(`an FDT that is compressed with ${encoding} is read`, receives, {fdtEncoding: encodings[encoding]});
}
test('TSI and TOI of 16 bits are read', receives, {tsi: 0xff_ff, firstToi: 0xff_00});
test('TSI and TOI of 32 bits are read', receives, {tsi: 0xff_ff_ff_ff, firstToi: 0x1_00_10});
test('TSI of 48 bits is read', receives, {tsi: 0xff_ff_ff_ff_ff_ff});
test('an FDT instance id of 20 bits is read', receives, {fdtInstanceId: 0xf_ff_fe});
test('the source symbols of Reed-Solomon blocks are put together', receives, {fec: reedSolomon});
test('an object that is compressed with gzip is received', receives, {}, encodings.gzip);
