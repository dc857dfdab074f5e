import {writeFile} from 'node:fs/promises';

const linkTypeIpv4 = 228;
const ipHeaderBytes = 20;
const udpHeaderBytes = 8;

/** An IPv4 packet around a UDP payload; checksums are left out, which tshark takes. */
const toIpv4 = (payload: Uint8Array, group: string, port: number): Buffer => {
	const packet = Buffer.alloc(ipHeaderBytes + udpHeaderBytes + payload.length);
	packet.writeUInt8(0x45, 0);
	packet.writeUInt16BE(packet.length, 2);
	packet.writeUInt8(64, 8);
	packet.writeUInt8(17, 9);
	Buffer.from([127, 0, 0, 1]).copy(packet, 12);
	Buffer.from(group.split('.').map(Number)).copy(packet, 16);
	packet.writeUInt16BE(40_000, 20);
	packet.writeUInt16BE(port, 22);
	packet.writeUInt16BE(udpHeaderBytes + payload.length, 24);
	packet.set(payload, ipHeaderBytes + udpHeaderBytes);
	return packet;
};

/** Writes a capture file of UDP payloads, so that no test needs the right to capture. */
export const writePcap = async (
	path: string,
	{group, port, payloads}: {readonly group: string; readonly port: number; readonly payloads: readonly Uint8Array[]},
): Promise<void> => {
	const head = Buffer.alloc(24);
	head.writeUInt32LE(0xa1b2c3d4, 0);
	head.writeUInt16LE(2, 4);
	head.writeUInt16LE(4, 6);
	head.writeUInt32LE(65_535, 16);
	head.writeUInt32LE(linkTypeIpv4, 20);
	const records = payloads.flatMap((payload, index) => {
		const packet = toIpv4(payload, group, port);
		const record = Buffer.alloc(16);
		record.writeUInt32LE(1_700_000_000 + index, 0);
		record.writeUInt32LE(packet.length, 8);
		record.writeUInt32LE(packet.length, 12);
		return [record, packet];
	});
	await writeFile(path, Buffer.concat([head, ...records]));
};
