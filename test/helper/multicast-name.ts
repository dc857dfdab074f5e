import {udpFrame, udpFrameHeaderBytes} from './udp-frame.ts';

/** Where names of the local network are asked and told (RFC 6762 section 3). */
const group = '224.0.0.251';
const port = 5353;

/**
 * The Ethernet frame in which a telephone of the home asks for the address of a name. It asks from the protocol's own port, so
 * that the answer goes to everybody.
 */
export const nameQuestion = (
	name: string,
	asker: {readonly address: string; readonly hardwareAddress: string},
): Buffer => {
	// One question of type A and class IN.
	const payload = Buffer.concat([
		Buffer.from('000000000001000000000000', 'hex'),
		encoded(name),
		Buffer.from('00010001', 'hex'),
	]);
	return udpFrame({source: asker, group, port, payload});
};

/** Whether a frame is an answer that gives the name this address. */
export const tellsAddress = (
	frame: Buffer,
	{name, address}: {readonly name: string; readonly address: string},
): boolean => {
	const message = frame.subarray(udpFrameHeaderBytes);
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
