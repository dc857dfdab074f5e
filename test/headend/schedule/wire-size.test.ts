import test from 'ava';
import fc from 'fast-check';
import {fecGeometryOf, packetOverheadBytes, wireBytesOf} from '#headend/schedule/wire-size.ts';

const reedSolomon = {symbolBytes: 1400, encodingId: 5, sourceBlockSymbolsMax: 200, overheadPercent: 5} as const;

test('an object without bytes takes nothing', (t) => {
	t.is(wireBytesOf(0, fecGeometryOf(0, reedSolomon)), 0);
});

test('one byte with Reed-Solomon is one packet and one repair packet', (t) => {
	const fec = fecGeometryOf(1, reedSolomon);
	t.is(fec.repairSymbolsPerBlock, 1);
	t.is(wireBytesOf(1, fec), 1 + 1400 + 2 * packetOverheadBytes);
});

test('without FEC the cost is the bytes and the headers', (t) => {
	const fec = fecGeometryOf(14_001, {...reedSolomon, encodingId: 0});
	t.is(wireBytesOf(14_001, fec), 14_001 + 11 * packetOverheadBytes);
});

test('a full block has its overhead and no block exceeds 255 symbols', (t) => {
	const fec = fecGeometryOf(200 * 1400, reedSolomon);
	t.is(fec.repairSymbolsPerBlock, 10);
	t.is(fec.encodingSymbolsMax, 210);
	fc.assert(
		fc.property(
			fc.integer({min: 0, max: 2 ** 32}),
			fc.integer({min: 1, max: 250}),
			fc.integer({min: 0, max: 100}),
			(sizeBytes, sourceBlockSymbolsMax, overheadPercent) => {
				const geometry = fecGeometryOf(sizeBytes, {...reedSolomon, sourceBlockSymbolsMax, overheadPercent});
				return (
					geometry.encodingSymbolsMax <= 255 &&
					geometry.repairSymbolsPerBlock <= 255 - 1 &&
					wireBytesOf(sizeBytes, geometry) >= sizeBytes
				);
			},
		),
		{seed: 1},
	);
});
