import {writeFile} from 'node:fs/promises';

export type CapturedPayload = {
	readonly timeMs: number;
	readonly group: string;
	readonly port: number;
	readonly payload: Uint8Array;
};

const linkTypes = {ethernet: 1, ipv4: 228} as const;
const ipHeaderBytes = 20;
const udpHeaderBytes = 8;

/** An IPv4 datagram around a UDP payload, without checksums. */
export const ipv4Datagram = ({group, port, payload}: Omit<CapturedPayload, 'timeMs'>): Buffer => {
	const packet = Buffer.alloc(ipHeaderBytes + udpHeaderBytes + payload.length);
	packet.writeUInt8(0x45, 0);
	packet.writeUInt16BE(packet.length, 2);
	packet.writeUInt8(64, 8);
	packet.writeUInt8(17, 9);
	packet.set([10, 0, 0, 1], 12);
	packet.set(group.split('.').map(Number), 16);
	packet.writeUInt16BE(40_000, 20);
	packet.writeUInt16BE(port, 22);
	packet.writeUInt16BE(udpHeaderBytes + payload.length, 24);
	packet.set(payload, ipHeaderBytes + udpHeaderBytes);
	return packet;
};

/** Ethernet with a VLAN tag, as a monitoring port of a switch gives it. */
const tagged = (datagram: Buffer): Buffer => {
	const head = Buffer.alloc(18);
	head.writeUInt16BE(0x8100, 12);
	head.writeUInt16BE(0x0800, 16);
	return Buffer.concat([head, datagram]);
};

/** A classic capture file of several groups at given times. */
export const captureFile = (payloads: readonly CapturedPayload[], link: keyof typeof linkTypes = 'ipv4'): Buffer => {
	const head = Buffer.alloc(24);
	head.writeUInt32LE(0xa1b2c3d4, 0);
	head.writeUInt32LE(65_535, 16);
	head.writeUInt32LE(linkTypes[link], 20);
	const records = payloads.flatMap((each) => {
		const packet = link === 'ipv4' ? ipv4Datagram(each) : tagged(ipv4Datagram(each));
		const record = Buffer.alloc(16);
		record.writeUInt32LE(Math.floor(each.timeMs / 1000), 0);
		record.writeUInt32LE(Math.floor((each.timeMs % 1000) * 1000), 4);
		record.writeUInt32LE(packet.length, 8);
		record.writeUInt32LE(packet.length, 12);
		return [record, packet];
	});
	return Buffer.concat([head, ...records]);
};

/** The same as pcapng, one section and one interface, big-endian. */
export const nextGenerationCapture = (payloads: readonly CapturedPayload[]): Buffer => {
	const block = (type: number, body: Buffer): Buffer => {
		const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)]);
		const edge = Buffer.alloc(8);
		edge.writeUInt32BE(type, 0);
		edge.writeUInt32BE(padded.length + 12, 4);
		return Buffer.concat([edge, padded, edge.subarray(4)]);
	};
	const section = Buffer.from('1a2b3c4d00010000ffffffffffffffff', 'hex');
	const face = Buffer.from(`00${linkTypes.ipv4.toString(16)}000000000000`, 'hex');
	return Buffer.concat([
		block(0x0a0d0d0a, section),
		block(1, face),
		...payloads.map((each) => {
			const packet = ipv4Datagram(each);
			const head = Buffer.alloc(20);
			const units = BigInt(Math.round(each.timeMs * 1000));
			head.writeUInt32BE(Number(units >> 32n), 4);
			head.writeUInt32BE(Number(units & 0xffff_ffffn), 8);
			head.writeUInt32BE(packet.length, 12);
			head.writeUInt32BE(packet.length, 16);
			return block(6, Buffer.concat([head, packet]));
		}),
	]);
};

export const writeCapture = (path: string, payloads: readonly CapturedPayload[]): Promise<void> =>
	writeFile(path, captureFile(payloads));
