import {crc32} from 'node:zlib';
import {flashError} from '#image/flash/flash-error.ts';

export type Partition = {
	readonly name: string;
	/** Lower case, as sgdisk prints it but for the case. */
	readonly typeGuid: string;
	readonly firstByte: number;
	readonly sizeBytes: number;
};

export const sectorBytes = 512;
export const efiSystemType = 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b';

/** A file on a disk of such sectors answers nothing smaller past the page cache, and nothing in between. */
const blockBytes = 4096;
const headerBytesMin = 92;
const entryCountMax = 1024;
const entryBytesMin = 128;
const entryBytesMax = 1024;

/** Answers exactly so many bytes of the image or the disk; whole blocks are asked for. */
export type ReadBytes = (offset: number, length: number) => Promise<Buffer>;

/**
 * The partitions of a GPT by its first header (UEFI 2.10 section 5.3), both checksums verified.
 * @throws CodedError FLASH_IMAGE_INVALID
 */
export const readPartitions = async (read: ReadBytes, diskBytes: number): Promise<readonly Partition[]> => {
	if (diskBytes < 2 * sectorBytes) {
		throw invalid('it is too short');
	}
	const readInside = async (offset: number, length: number): Promise<Buffer> => {
		const first = offset - (offset % blockBytes);
		const end = Math.min(Math.ceil((offset + length) / blockBytes) * blockBytes, diskBytes);
		return (await read(first, end - first)).subarray(offset - first, offset - first + length);
	};
	const header = await readInside(sectorBytes, sectorBytes);
	const headerBytes = header.readUInt32LE(12);
	if (header.toString('latin1', 0, 8) !== 'EFI PART' || headerBytes < headerBytesMin || headerBytes > sectorBytes) {
		throw invalid('there is none');
	}
	const blanked = Buffer.from(header.subarray(0, headerBytes));
	blanked.writeUInt32LE(0, 16);
	if (crc32(blanked) !== header.readUInt32LE(16)) {
		throw invalid('its header is damaged');
	}
	const entriesAt = Number(header.readBigUInt64LE(72)) * sectorBytes;
	const entryCount = header.readUInt32LE(80);
	const entryBytes = header.readUInt32LE(84);
	const tableBytes = entryCount * entryBytes;
	if (
		entryCount > entryCountMax ||
		entryBytes < entryBytesMin ||
		entryBytes > entryBytesMax ||
		entriesAt + tableBytes > diskBytes
	) {
		throw invalid('its entries are somewhere else');
	}
	const table = await readInside(entriesAt, tableBytes);
	if (crc32(table) !== header.readUInt32LE(88)) {
		throw invalid('its entries are damaged');
	}
	return Array.from({length: entryCount}, (_, index) =>
		partitionOf(table.subarray(index * entryBytes, (index + 1) * entryBytes), diskBytes),
	).filter((partition) => partition !== undefined);
};

const partitionOf = (entry: Buffer, diskBytes: number): Partition | undefined => {
	if (entry.subarray(0, 16).every((byte) => byte === 0)) {
		return undefined;
	}
	const firstByte = Number(entry.readBigUInt64LE(32)) * sectorBytes;
	const sizeBytes = (Number(entry.readBigUInt64LE(40)) + 1) * sectorBytes - firstByte;
	if (sizeBytes <= 0 || firstByte + sizeBytes > diskBytes) {
		throw invalid('a partition reaches beyond the end');
	}
	const name = entry.toString('utf16le', 56, entryBytesMin).replace(/\0.*$/su, '');
	return {name, typeGuid: guidOf(entry), firstByte, sizeBytes};
};

/** The first three parts are stored with their low byte first. */
const guidOf = (bytes: Buffer): string => {
	const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
	return [
		hex(bytes.readUInt32LE(0), 8),
		hex(bytes.readUInt16LE(4), 4),
		hex(bytes.readUInt16LE(6), 4),
		bytes.toString('hex', 8, 10),
		bytes.toString('hex', 10, 16),
	].join('-');
};

const invalid = (why: string) => flashError('FLASH_IMAGE_INVALID', `The partition table (GPT) cannot be read: ${why}.`);
