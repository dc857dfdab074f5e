/** Sections out of the packets of one PID (ISO/IEC 13818-1 section 2.4.4). */
export type SectionAssembler = {
	/** The packets of the PID, in their order. */
	readonly add: (packet: Buffer) => void;
	/** Forgets what has begun. */
	readonly reset: () => void;
};

export const packetBytes = 188;
const syncByte = 0x47;
const headerBytes = 4;
/** Table id and length. */
const sectionHeadBytes = 3;
const stuffing = 0xff;
/** Table, length and the five bytes of the long head, then the CRC. */
const longSectionBytesMin = 12;

export const pidOf = (packet: Buffer): number => packet.readUInt16BE(1) & 0x1fff;

/** A packet that is whole, undamaged and clear; others carry nothing for us. */
export const isUsable = (packet: Buffer): boolean =>
	packet.length === packetBytes &&
	packet[0] === syncByte &&
	((packet[1] ?? 0) & 0x80) === 0 &&
	((packet[3] ?? 0) & 0xc0) === 0;

/** Where the payload begins; undefined where there is none. */
const payloadOf = (packet: Buffer): Buffer | undefined => {
	const control = ((packet[3] ?? 0) >> 4) & 3;
	const at = control === 1 ? headerBytes : control === 3 ? headerBytes + 1 + (packet[4] ?? 0) : packetBytes;
	return at < packetBytes ? packet.subarray(at) : undefined;
};

export const createSectionAssembler = (onSection: (section: Buffer) => void): SectionAssembler => {
	let begun: Buffer | undefined;
	let counter: number | undefined;
	/** Takes whole sections off the front; the rest has begun. */
	const takeWhole = (bytes: Buffer): void => {
		let rest = bytes;
		while (rest.length > 0 && rest[0] !== stuffing) {
			const length = rest.length < sectionHeadBytes ? Infinity : sectionHeadBytes + (rest.readUInt16BE(1) & 0xfff);
			if (length > rest.length) {
				begun = Buffer.from(rest);
				return;
			}
			onSection(Buffer.from(rest.subarray(0, length)));
			rest = rest.subarray(length);
		}
		begun = undefined;
	};
	return {
		add: (packet) => {
			const payload = isUsable(packet) ? payloadOf(packet) : undefined;
			if (payload === undefined) {
				return;
			}
			const number = (packet[3] ?? 0) & 0xf;
			if (number === counter) {
				// A packet may be sent twice.
				return;
			}
			if (counter !== undefined && number !== ((counter + 1) & 0xf)) {
				begun = undefined;
			}
			counter = number;
			if (((packet[1] ?? 0) & 0x40) === 0) {
				if (begun !== undefined) {
					takeWhole(Buffer.concat([begun, payload]));
				}
				return;
			}
			const start = 1 + (payload[0] ?? 0);
			if (begun !== undefined) {
				takeWhole(Buffer.concat([begun, payload.subarray(1, start)]));
				begun = undefined;
			}
			takeWhole(payload.subarray(Math.min(start, payload.length)));
		},
		reset: () => {
			begun = undefined;
			counter = undefined;
		},
	};
};

/** CRC-32/MPEG-2 over all of a section is 0 (ISO/IEC 13818-1 annex A). Tables are small and rare, so bit by bit. */
export const hasGoodCrc = (section: Buffer): boolean => {
	let crc = 0xff_ff_ff_ff;
	for (const byte of section) {
		crc ^= byte << 24;
		for (let bit = 0; bit < 8; bit += 1) {
			crc = (crc << 1) ^ (crc < 0 ? 0x04_c1_1d_b7 : 0);
		}
	}
	return (crc | 0) === 0;
};

/** Whether the section has the head and the CRC of tables. */
export const isTable = (section: Buffer): boolean =>
	section.length >= longSectionBytesMin && ((section[1] ?? 0) & 0x80) !== 0;

/** As the kernel's filter: byte 0 is the table id, byte 1 the first behind the length. */
export const matches = (section: Buffer, value: Uint8Array, mask: Uint8Array): boolean =>
	value.every((wanted, index) => {
		const at = index === 0 ? 0 : index + 2;
		return (((section[at] ?? 0) ^ wanted) & (mask[index] ?? 0xff)) === 0;
	});
