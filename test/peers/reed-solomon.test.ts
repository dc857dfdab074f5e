import {randomBytes} from 'node:crypto';
import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {eventually} from '#test/helper/eventually.ts';
import {withDatagrams} from '#test/helper/with-datagrams.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withFluteReceiver} from '#test/helper/with-flute-receiver.ts';
import {freePeerLink} from './free-peer-link.ts';
import {alphaPower, interpolate} from './galois-field.ts';
import {sendAsHeadend} from './send-as-headend.ts';
import {encodings, type PeerSenderOptions, sendAsPeer, withPeerReceiver} from './with-peer.ts';

/*
 * Two readings of RFC 5510 are about. The formula of its section 8.2.1, V(i,j) = alpha^(i*j), interpolates at alpha^0,
 * alpha^1, …: ours. Rizzo's codec of 1998, and what descends from it (OpenFEC, zfec, ypo/flute since 1.11.7), puts a 0
 * before these points. Source symbols are the same in both, repair symbols differ, and nothing in a packet tells which
 * one it is. So a lost packet between the two costs a refusal by the object's digest, never a wrong object.
 */

const sourceSymbols = 4;
const location = 'http://dvb.gw/peer/object';
const defaults = {
	tsi: 1,
	firstToi: 1,
	version: 1,
	fdtInstanceId: 1,
	fdtEncoding: encodings.none,
	fdtProfile: 'extended',
	dropEsi: [],
	rateBps: 10_000_000,
} as const satisfies Partial<PeerSenderOptions>;

/** The symbols of the one block of TOI 1, by ESI; TSI and TOI are of 16 bits, and the codepoint is FEC Encoding ID 5. */
const symbolsOf = (datagrams: readonly Buffer[]): ReadonlyMap<number, Buffer> =>
	new Map(
		datagrams
			.filter((packet) => packet[3] === 5 && packet.readUInt16BE(10) === 1)
			.map((packet) => {
				const header = packet.readUInt8(2) * 4;
				return [packet.readUInt8(header + 3), packet.subarray(header + 4)] as const;
			}),
	);

/** What the repair symbol is when each symbol is a polynomial's value at the point of its ESI. */
const repairOf = (symbols: ReadonlyMap<number, Buffer>, esi: number, pointOf: (esi: number) => number): Buffer => {
	const source = Array.from({length: sourceSymbols}, (_, index) => symbols.get(index) ?? Buffer.alloc(0));
	return Buffer.from(
		(source[0] ?? Buffer.alloc(0)).map((_, column) =>
			interpolate(
				source.map((symbol, index) => ({x: pointOf(index), y: symbol[column] ?? 0})),
				pointOf(esi),
			),
		),
	);
};

const pointOfFormula = (esi: number): number => alphaPower(esi);
const pointOfRizzo = (esi: number): number => (esi === 0 ? 0 : alphaPower(esi - 1));

test('our repair symbols are those of the formula of RFC 5510', async (t) => {
	const {group, port, received} = await withDatagrams(t);
	const fec = {encodingId: 5, symbolBytes: 64, sourceBlockSymbolsMax: 8, overheadPercent: 50} as const;
	await sendAsHeadend(t, {
		objects: [{uri: location, contentType: 'video/mp4', bytes: randomBytes(64 * sourceSymbols)}],
		link: {group, port},
		widthBits: 16,
		fec,
		until: () => symbolsOf(received).size === sourceSymbols + 2,
	});
	const symbols = symbolsOf(received);
	t.deepEqual(symbols.get(sourceSymbols), repairOf(symbols, sourceSymbols, pointOfFormula));
	t.deepEqual(symbols.get(sourceSymbols + 1), repairOf(symbols, sourceSymbols + 1, pointOfFormula));
});

const withPeerFile = async (t: Parameters<typeof withDirectory>[0], sizeBytes: number) => {
	const file = path.join(await withDirectory(t), 'object');
	await writeFile(file, randomBytes(sizeBytes));
	return [{path: file, location, type: 'video/mp4', encoding: encodings.none}];
};

test("ypo/flute's repair symbols are those of Rizzo's codec", async (t) => {
	const {group, port, received} = await withDatagrams(t);
	const fec = {encodingId: 5, symbolBytes: 64, sourceBlockSymbolsMax: 8, repairSymbolsPerBlock: 2} as const;
	const files = await withPeerFile(t, 64 * sourceSymbols);
	await sendAsPeer(t, {...defaults, fec, files, group, port, interface: '127.0.0.1'});
	const symbols = await eventually('all symbols', () => {
		const all = symbolsOf(received);
		return all.size === sourceSymbols + 2 && all;
	});
	t.deepEqual(symbols.get(sourceSymbols), repairOf(symbols, sourceSymbols, pointOfRizzo));
	t.deepEqual(symbols.get(sourceSymbols + 1), repairOf(symbols, sourceSymbols + 1, pointOfRizzo));
});

test('our receiver never takes an object that foreign repair symbols made wrong', async (t) => {
	const reception = await withFluteReceiver(t);
	const {group, port, interfaceAddress} = reception.endpoint;
	const sizeBytes = 120_000;
	const fec = {encodingId: 5, symbolBytes: 1400, sourceBlockSymbolsMax: 40, repairSymbolsPerBlock: 8} as const;
	const files = await withPeerFile(t, sizeBytes);
	await sendAsPeer(t, {...defaults, fec, files, group, port, interface: interfaceAddress, dropEsi: [0]});
	// All was there, was refused by its digest, and is asked for anew.
	await reception.until('the object refused', () => {
		const {fecRecoveredBytes} = reception.receiver.stats();
		return fecRecoveredBytes > 0 && reception.all('ended').some(({missingBytes}) => missingBytes === sizeBytes);
	});
	t.deepEqual(reception.all('complete'), []);
});

test("ypo/flute's receiver never takes an object that our repair symbols made wrong", async (t) => {
	const link = await freePeerLink();
	const peer = await withPeerReceiver(t, {...link, dropEsi: [0]});
	await sendAsHeadend(t, {
		objects: [{uri: location, contentType: 'video/mp4', bytes: randomBytes(120_000)}],
		link,
		fec: {encodingId: 5, symbolBytes: 1400, sourceBlockSymbolsMax: 40, overheadPercent: 20},
		until: () => peer.log().includes('MD5 does not match'),
	});
	t.false(peer.isComplete(new URL(location).pathname));
});
