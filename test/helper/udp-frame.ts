const headerBytes = {ethernet: 14, ip: 20, udp: 8} as const;
/** Of all that comes before a datagram's bytes. */
export const udpFrameHeaderBytes = headerBytes.ethernet + headerBytes.ip + headerBytes.udp;
const timeToLive = 255;
const protocolUdp = 17;
/** Of groups, with the group's last 23 bits (RFC 1112 section 6.4). */
const groupHardwarePrefix = [0x01, 0x00, 0x5e] as const;

/** The Ethernet frame of a datagram to a group, from its own port and without a UDP checksum (RFC 768). */
export const udpFrame = ({
	source,
	group,
	port,
	payload,
}: {
	readonly source: {readonly address: string; readonly hardwareAddress: string};
	readonly group: string;
	readonly port: number;
	readonly payload: Buffer;
}): Buffer => {
	const frame = Buffer.alloc(udpFrameHeaderBytes + payload.length);
	const [, second = 0, third = 0, fourth = 0] = group.split('.').map(Number);
	frame.set([...groupHardwarePrefix, second & 0x7f, third, fourth], 0);
	frame.write(source.hardwareAddress.replaceAll(':', ''), 6, 'hex');
	frame.writeUInt16BE(0x08_00, 12);
	const ip = frame.subarray(headerBytes.ethernet, headerBytes.ethernet + headerBytes.ip);
	ip.writeUInt8(0x45, 0);
	ip.writeUInt16BE(frame.length - headerBytes.ethernet, 2);
	ip.writeUInt8(timeToLive, 8);
	ip.writeUInt8(protocolUdp, 9);
	ip.set(source.address.split('.').map(Number), 12);
	ip.set(group.split('.').map(Number), 16);
	ip.writeUInt16BE(internetChecksum(ip), 10);
	const udp = frame.subarray(headerBytes.ethernet + headerBytes.ip);
	udp.writeUInt16BE(port, 0);
	udp.writeUInt16BE(port, 2);
	udp.writeUInt16BE(udp.length, 4);
	payload.copy(udp, headerBytes.udp);
	return frame;
};

/** RFC 1071. */
const internetChecksum = (header: Buffer): number => {
	let sum = 0;
	for (let at = 0; at < header.length; at += 2) {
		sum += header.readUInt16BE(at);
	}
	while (sum > 0xff_ff) {
		sum = (sum & 0xff_ff) + Math.floor(sum / 0x1_00_00);
	}
	return ~sum & 0xff_ff;
};
