/** Where names of the local network are asked and told (RFC 6762 section 3). */
const group = [224, 0, 0, 251] as const;
const port = 5353;
/** Of the group (RFC 1112 section 6.4). */
const groupHardwareAddress = Buffer.from('01005e0000fb', 'hex');
const headerBytes = {ethernet: 14, ip: 20, udp: 8} as const;
const timeToLive = 255;

/**
 * The Ethernet frame in which a telephone of the home asks for the address of a name. It asks from the protocol's own port, so
 * that the answer goes to everybody.
 */
export const nameQuestion = (
	name: string,
	asker: {readonly address: string; readonly hardwareAddress: string},
): Buffer => {
	// One question of type A and class IN.
	const message = Buffer.concat([
		Buffer.from('000000000001000000000000', 'hex'),
		encoded(name),
		Buffer.from('00010001', 'hex'),
	]);
	const udp = Buffer.alloc(headerBytes.udp);
	udp.writeUInt16BE(port, 0);
	udp.writeUInt16BE(port, 2);
	udp.writeUInt16BE(udp.length + message.length, 4);
	const ip = Buffer.alloc(headerBytes.ip);
	ip.writeUInt8(0x45, 0);
	ip.writeUInt16BE(ip.length + udp.length + message.length, 2);
	ip.writeUInt8(timeToLive, 8);
	ip.writeUInt8(17, 9);
	ip.set(asker.address.split('.').map(Number), 12);
	ip.set(group, 16);
	ip.writeUInt16BE(internetChecksum(ip), 10);
	const source = Buffer.from(asker.hardwareAddress.replaceAll(':', ''), 'hex');
	return Buffer.concat([groupHardwareAddress, source, Buffer.from('0800', 'hex'), ip, udp, message]);
};

/** Whether a frame is an answer that gives the name this address. */
export const tellsAddress = (
	frame: Buffer,
	{name, address}: {readonly name: string; readonly address: string},
): boolean => {
	const message = frame.subarray(headerBytes.ethernet + headerBytes.ip + headerBytes.udp);
	const record = Buffer.from([0, 4, ...address.split('.').map(Number)]);
	const isAnswer = message.length > 2 && message.readUInt16BE(0) === 0 && ((message[2] ?? 0) & 0x80) !== 0;
	return isAnswer && message.includes(encoded(name)) && message.includes(record);
};

/** A name's labels (RFC 1035 section 3.1). */
const encoded = (name: string): Buffer =>
	Buffer.concat([
		...name.split('.').flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]),
		Buffer.of(0),
	]);

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
