import {createHash} from 'node:crypto';
import {open} from 'node:fs/promises';
import {errorMessage} from '#appliance/error/coded-error.ts';
import {childOf, childrenOf, childText, parseXml, requireRoot, type XmlNode} from '#appliance/xml/parse-xml.ts';
import {flashError} from '#image/flash/flash-error.ts';

/** Blocks that are mapped, and the digest of their bytes. */
export type BlockRange = {readonly firstBlock: number; readonly blockCount: number; readonly sha256: string};

export type BlockMap = {
	readonly imageBytes: number;
	readonly blockBytes: number;
	/** Ascending, without overlap, inside the image. */
	readonly ranges: readonly BlockRange[];
	/** The map's own checksum: because it covers the digests of all ranges, it names the image. */
	readonly digest: string;
};

/** A map of 40,000 ranges has about 4 MB. */
export const mapBytesMax = 4 * 1024 * 1024;
const blockBytesMin = 512;
const blockBytesMax = 1024 * 1024;
const imageBytesMax = 1024 ** 4;
const digestPattern = /^[0-9a-f]{64}$/u;

/** @throws CodedError FLASH_MAP_INVALID */
export const readBlockMap = async (mapPath: string): Promise<BlockMap> => {
	try {
		await using handle = await open(mapPath);
		const {size} = await handle.stat();
		if (size > mapBytesMax) {
			throw invalid(`it has ${size} bytes, and a block map at most ${mapBytesMax}`);
		}
		return parseBlockMap(await handle.readFile('utf8'));
	} catch (error) {
		throw flashError('FLASH_MAP_INVALID', `The block map ${mapPath} cannot be used: ${errorMessage(error)}`, {
			cause: error,
		});
	}
};

/**
 * Reads bmaptool's format, version 2. Every number in it decides where on a disk is written, so nothing is believed that
 * was not compared with something else.
 * @throws CodedError FLASH_MAP_INVALID; APPLIANCE_XML_… when it is not XML of a sane size
 */
export const parseBlockMap = (text: string): BlockMap => {
	const root = requireRoot(parseXml(text), 'bmap');
	const version = root.attributes.get('version') ?? '';
	if (!/^2\.\d{1,3}$/u.test(version)) {
		throw invalid(`its version is ${version.slice(0, 20)}, and we read version 2`);
	}
	const digest = requireOwnChecksum(text, childText(root, 'BmapFileChecksum') ?? '');
	if (childText(root, 'ChecksumType') !== 'sha256') {
		throw invalid('its ranges carry no SHA-256');
	}
	const imageBytes = numberOf(root, 'ImageSize', imageBytesMax);
	const blockBytes = numberOf(root, 'BlockSize', blockBytesMax);
	if (blockBytes < blockBytesMin || (blockBytes & (blockBytes - 1)) !== 0) {
		throw invalid(`its block size ${blockBytes} is none`);
	}
	const blockCount = numberOf(root, 'BlocksCount', imageBytesMax / blockBytesMin);
	if (imageBytes === 0 || blockCount * blockBytes !== imageBytes) {
		throw invalid('the size of its image is not that of its blocks');
	}
	const ranges = childrenOf(childOf(root, 'BlockMap'), 'Range').map(rangeOf);
	requireOrder(ranges, blockCount);
	const mapped = ranges.reduce((sum, range) => sum + range.blockCount, 0);
	if (mapped !== numberOf(root, 'MappedBlocksCount', blockCount)) {
		throw invalid('it maps another number of blocks than it says');
	}
	return {imageBytes, blockBytes, ranges, digest};
};

/** The checksum was made with 64 zeros in its own place. */
const requireOwnChecksum = (text: string, checksum: string): string => {
	if (!digestPattern.test(checksum)) {
		throw invalid('it has no checksum of itself');
	}
	const at = text.indexOf(checksum);
	const zeroed = `${text.slice(0, at)}${'0'.repeat(checksum.length)}${text.slice(at + checksum.length)}`;
	if (at === -1 || createHash('sha256').update(zeroed).digest('hex') !== checksum) {
		throw invalid('it is damaged, as its own checksum shows; copy it again');
	}
	return checksum;
};

const numberOf = (root: XmlNode, name: string, max: number): number => {
	const text = childText(root, name) ?? '';
	const value = Number(text);
	if (!/^\d{1,16}$/u.test(text) || !Number.isSafeInteger(value) || value > max) {
		throw invalid(`its ${name} is no number up to ${max}`);
	}
	return value;
};

const rangeOf = (node: XmlNode): BlockRange => {
	const match = /^(?<first>\d{1,12})(?:-(?<last>\d{1,12}))?$/u.exec(node.text);
	const sha256 = node.attributes.get('chksum') ?? '';
	const firstBlock = Number(match?.groups?.['first']);
	const blockCount = Number(match?.groups?.['last'] ?? firstBlock) - firstBlock + 1;
	if (match === null || blockCount < 1 || !digestPattern.test(sha256)) {
		throw invalid(`its range ${node.text.slice(0, 40)} is none with a SHA-256`);
	}
	return {firstBlock, blockCount, sha256};
};

const requireOrder = (ranges: readonly BlockRange[], blockCount: number): void => {
	let end = 0;
	for (const range of ranges) {
		if (range.firstBlock < end) {
			throw invalid(`its range at block ${range.firstBlock} overlaps the one before or is out of order`);
		}
		end = range.firstBlock + range.blockCount;
		if (end > blockCount) {
			throw invalid(`its range at block ${range.firstBlock} reaches beyond the image`);
		}
	}
};

const invalid = (why: string) => flashError('FLASH_MAP_INVALID', `${why}.`);
