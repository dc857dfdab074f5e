import {randomBytes} from 'node:crypto';
import {deflateRawSync, deflateSync, gzipSync} from 'node:zlib';
import test from 'ava';
import {freePeerLink} from './free-peer-link.ts';
import {type OurTransmission, sendAsHeadend} from './send-as-headend.ts';
import {withPeerReceiver} from './with-peer.ts';

const compactNoCode = {encodingId: 0, symbolBytes: 1400, sourceBlockSymbolsMax: 1024, overheadPercent: 0} as const;
const reedSolomon = {encodingId: 5, symbolBytes: 1400, sourceBlockSymbolsMax: 60, overheadPercent: 20} as const;

const objects = [
	{uri: 'http://dvb.gw/ours/film/segment-1.m4s', contentType: 'video/mp4', bytes: randomBytes(600_123)},
	{uri: 'http://dvb.gw/ours/one-symbol', contentType: 'application/octet-stream', bytes: randomBytes(1400)},
	{uri: 'http://dvb.gw/ours/one-byte', contentType: 'application/octet-stream', bytes: Buffer.from('1')},
	{
		uri: 'http://dvb.gw/ours/manifest.mpd?a=1&amp=2',
		contentType: 'application/dash+xml',
		bytes: Buffer.from('A manifest that repeats itself. '.repeat(400)),
	},
];

const isReceived = test.macro(async (t, options: Partial<OurTransmission>) => {
	const link = await freePeerLink();
	const peer = await withPeerReceiver(t, {...link, dropEsi: []});
	await sendAsHeadend(t, {
		objects,
		link,
		fec: compactNoCode,
		...options,
		until: () => objects.every(({uri}) => peer.isComplete(new URL(uri).pathname)),
	});
	for (const {uri, bytes} of objects) {
		t.true((await peer.bytesOf(new URL(uri).pathname)).equals(bytes), uri);
	}
	t.notRegex(peer.log(), /^refused/mu);
});

test('a FLUTE v1 session of the headend is received byte by byte', isReceived, {});
test('a FLUTE v2 session is received byte by byte', isReceived, {version: 2});
test('the source symbols of Reed-Solomon blocks are put together', isReceived, {fec: reedSolomon});
for (const [contentEncoding, compress] of Object.entries({
	gzip: gzipSync,
	deflate: deflateRawSync,
	zlib: deflateSync,
})) {
	test(`an FDT that is compressed with ${contentEncoding} is read`, isReceived, {
		fdt: {contentEncoding, compress},
	} as Partial<OurTransmission>);
}
for (const widthBits of [16, 32, 48] as const) {
	test(`TSI and TOI of ${widthBits} bits are read`, isReceived, {
		widthBits,
		tsi: 2 ** Math.min(widthBits, 48) - 1,
		firstToi: 2 ** widthBits - 100,
	});
}
test('objects that the headend compresses with gzip are received', isReceived, {gzip: true});
test('EXT_FTI on every packet does no harm', isReceived, {fti: true, fec: reedSolomon});
