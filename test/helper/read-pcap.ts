const linkTypeEthernet = 1;
const ethernetHeaderBytes = 14;
const udpHeaderBytes = 8;

/** The UDP payloads of a little-endian capture of IPv4, on Ethernet or bare. */
export const readPcap = (capture: Buffer): readonly Buffer[] => {
	const linkBytes = capture.readUInt32LE(20) === linkTypeEthernet ? ethernetHeaderBytes : 0;
	const payloads: Buffer[] = [];
	for (let offset = 24; offset < capture.length; ) {
		const lengthBytes = capture.readUInt32LE(offset + 8);
		const packet = capture.subarray(offset + 16 + linkBytes, offset + 16 + lengthBytes);
		const ipHeaderBytes = (packet.readUInt8(0) & 15) * 4;
		payloads.push(
			packet.subarray(ipHeaderBytes + udpHeaderBytes, ipHeaderBytes + packet.readUInt16BE(ipHeaderBytes + 4)),
		);
		offset += 16 + lengthBytes;
	}
	return payloads;
};
