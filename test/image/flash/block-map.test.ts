import {createHash} from 'node:crypto';
import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {mapBytesMax, parseBlockMap, readBlockMap} from '#image/flash/block-map.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withFlashImage} from '#test/helper/with-flash-image.ts';

const sha256 = 'a'.repeat(64);
const range = (blocks: string, chksum = sha256): string => `<Range chksum="${chksum}"> ${blocks} </Range>`;

type Parts = {
	readonly version?: string;
	readonly imageSize?: number | string;
	readonly blockSize?: number;
	readonly blocks?: number;
	readonly mapped?: number;
	readonly type?: string;
	readonly ranges?: string;
	readonly before?: string;
};

/** A map whose own checksum is right, whatever else it says. */
const mapText = (parts: Parts = {}): string => {
	const {version = '2.0', imageSize = 409_600, blockSize = 4096, blocks = 100, mapped = 3, type = 'sha256'} = parts;
	const zeroed = `<?xml version="1.0" ?>${parts.before ?? ''}<bmap version="${version}">
		<ImageSize> ${imageSize} </ImageSize><BlockSize> ${blockSize} </BlockSize><BlocksCount> ${blocks} </BlocksCount>
		<MappedBlocksCount> ${mapped} </MappedBlocksCount><ChecksumType> ${type} </ChecksumType>
		<BmapFileChecksum> ${'0'.repeat(64)} </BmapFileChecksum>
		<BlockMap>${parts.ranges ?? range('0-1') + range('7')}</BlockMap></bmap>`;
	return zeroed.replace('0'.repeat(64), createHash('sha256').update(zeroed).digest('hex'));
};

test('a map is read', (t) => {
	const map = parseBlockMap(mapText());
	t.like(map, {imageBytes: 409_600, blockBytes: 4096});
	t.deepEqual(map.ranges, [
		{firstBlock: 0, blockCount: 2, sha256},
		{firstBlock: 7, blockCount: 1, sha256},
	]);
});

test('a map that bmaptool made is read', async (t) => {
	const {imagePath, imageBytes} = await withFlashImage(t);
	const map = await readBlockMap(`${imagePath}.bmap`);
	t.is(map.imageBytes, imageBytes);
	t.true(map.ranges.length > 3);
});

const isRefused = test.macro((t, text: string, why: RegExp) => {
	const error = t.throws(() => parseBlockMap(text), {code: 'FLASH_MAP_INVALID'});
	t.regex(error?.message ?? '', why);
});

test('a map of another version is refused', isRefused, mapText({version: '3.0'}), /version/u);
test('a changed byte is found', isRefused, mapText().replace(' 7 ', ' 8 '), /damaged/u);
test('a map without a checksum is refused', isRefused, mapText().replace(/<BmapFile.*Checksum>/u, ''), /no checksum/u);
test('another digest than SHA-256 is refused', isRefused, mapText({type: 'md5'}), /no SHA-256/u);
test('a range beyond the image is refused', isRefused, mapText({ranges: range('99-101')}), /beyond the image/u);
test('a huge range is refused', isRefused, mapText({ranges: range('0-999999999999')}), /beyond the image/u);
test('a range of too many digits is refused', isRefused, mapText({ranges: range('0-99999999999999')}), /is none/u);
test('overlapping ranges are refused', isRefused, mapText({ranges: range('0-1') + range('1')}), /overlaps/u);
test('ranges out of order are refused', isRefused, mapText({ranges: range('7') + range('0-1')}), /out of order/u);
test('a range that ends before it begins is refused', isRefused, mapText({ranges: range('7-3')}), /is none/u);
test('a negative range is refused', isRefused, mapText({ranges: range('-3')}), /is none/u);
test('a range without a digest is refused', isRefused, mapText({ranges: range('0-2', '')}), /is none/u);
test('a wrong number of mapped blocks is refused', isRefused, mapText({mapped: 4}), /another number/u);
test('a block size of no power of two is refused', isRefused, mapText({blockSize: 4095}), /block size/u);
test('blocks that are not the image are refused', isRefused, mapText({blocks: 101}), /not that of its blocks/u);
test('an image beyond all disks is refused', isRefused, mapText({imageSize: '9007199254740993'}), /no number/u);
test('a number in another notation is refused', isRefused, mapText({imageSize: '4e5'}), /no number/u);

test('entities that multiply are refused before they are read', (t) => {
	const before = '<!DOCTYPE b [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>';
	t.throws(() => parseBlockMap(mapText({before})), {message: /document type/u});
});

test('more ranges than any image has are refused', (t) => {
	t.throws(() => parseBlockMap(mapText({ranges: range('0').repeat(70_000)})), {message: /longer|more/u});
});

test('a file that is too long is refused unread, with its name', async (t) => {
	const file = path.join(await withDirectory(t), 'large.bmap');
	await writeFile(file, Buffer.alloc(mapBytesMax + 1, 0x20));
	const error = await t.throwsAsync(readBlockMap(file), {code: 'FLASH_MAP_INVALID'});
	t.regex(error?.message ?? '', /large\.bmap cannot be used: it has/u);
});
