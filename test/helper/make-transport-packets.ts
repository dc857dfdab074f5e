const payloadBytes = 184;

/** Packets of one PID that carry sections, each begun by a packet of its own. */
export const makeTransportPackets = (pid: number, sections: readonly Buffer[], firstCounter = 0): Buffer => {
	const packets: Buffer[] = [];
	for (const section of sections) {
		const payload = Buffer.concat([Buffer.of(0), section]);
		for (let at = 0; at < payload.length; at += payloadBytes) {
			const packet = Buffer.alloc(payloadBytes + 4, 0xff);
			packet.writeUInt8(0x47, 0);
			packet.writeUInt16BE(pid | (at === 0 ? 0x4000 : 0), 1);
			packet.writeUInt8(0x10 | ((firstCounter + packets.length) & 0xf), 3);
			payload.copy(packet, 4, at, at + payloadBytes);
			packets.push(packet);
		}
	}
	return Buffer.concat(packets);
};

/** A section of a table, with its CRC (ISO/IEC 13818-1 section 2.4.4 and annex A). */
export const makeTableSection = (
	table: {readonly tableId: number; readonly extension: number; readonly version?: number; readonly current?: boolean},
	body: Buffer,
	part: {readonly number: number; readonly last: number} = {number: 0, last: 0},
): Buffer => {
	const {tableId, extension, version = 0, current = true} = table;
	const head = Buffer.alloc(8);
	head.writeUInt8(tableId, 0);
	head.writeUInt16BE(0xb000 | (body.length + 9), 1);
	head.writeUInt16BE(extension, 3);
	head.writeUInt8(0xc0 | (version << 1) | (current ? 1 : 0), 5);
	head.writeUInt8(part.number, 6);
	head.writeUInt8(part.last, 7);
	const section = Buffer.concat([head, body]);
	const crc = Buffer.alloc(4);
	crc.writeUInt32BE(crcOf(section));
	return Buffer.concat([section, crc]);
};

/** By division of the polynomial as the standard writes it, and so another way than ours. */
const crcOf = (bytes: Buffer): number => {
	const bits = [...bytes, 0, 0, 0, 0].flatMap((byte) => [...byte.toString(2).padStart(8, '0')].map(Number));
	const divisor = [...'100000100110000010001110110110111'].map(Number);
	for (let at = 0; at < 32; at += 1) {
		bits[at] = 1 - (bits[at] ?? 0);
	}
	for (let at = 0; at + 32 < bits.length; at += 1) {
		if (bits[at] === 1) {
			for (const [index, bit] of divisor.entries()) {
				bits[at + index] = (bits[at + index] ?? 0) ^ bit;
			}
		}
	}
	return Number.parseInt(bits.slice(-32).join(''), 2);
};
