import type {FrameOptions, LinkDatagrams, LinkFormat, TransportStreamOptions} from '#native/link/link.ts';
import {listModcods} from '#native/modem/modem.ts';

export const sampleTransport: TransportStreamOptions = {
	...{transportStreamId: 1001, originalNetworkId: 9, networkId: 7, networkName: 'StreamVerse'},
	services: [
		{serviceId: 5001, name: 'Kanál', provider: 'Edge', pmtPid: 256, pid: 4097},
		{serviceId: 5002, name: 'Other', provider: 'Edge', pmtPid: 257, pid: 4098},
	],
	delivery: {
		...{frequencyKhz: 11_727_500, symbolRate: 27_500_000, orbitalPosition: 192, isEast: true},
		...{polarization: 'vertical', system: 'dvb-s2', modulation: '8psk', rollOff: 0.2, codeRate: '3/4'},
	},
};

/** Of one of the modem's MODCODs, normal frames without pilots. */
export const sampleFrames = (name = '8PSK 3/4', changes: Partial<FrameOptions> = {}): FrameOptions => {
	const modcod = listModcods().find((each) => each.name === name && each.frame === 'normal' && !each.pilots);
	if (modcod === undefined) {
		throw new Error(`there is no ${name}`);
	}
	return {modcod, rollOff: 0.2, ...changes};
};

/** Every way that the link layer has, by what a test may call it. */
export const sampleFormats: Readonly<Record<string, LinkFormat>> = {
	'MPE in TS': {kind: 'mpe', transport: sampleTransport},
	'ULE in TS': {kind: 'ule', transport: sampleTransport},
	'MPE in BBFRAMEs': {kind: 'mpe', transport: sampleTransport, frames: sampleFrames()},
	'GSE in BBFRAMEs': {kind: 'gse', frames: sampleFrames()},
	'GSE-Lite with GSE-HEM headers of one of several streams': {
		...{kind: 'gse', isHighEfficiency: true, isLite: true, label: 'reuse'},
		frames: sampleFrames('QPSK 1/2', {inputStream: 5, isConstantCoding: false, rollOff: 0.05}),
	},
};

/** Each datagram of a batch. */
export const datagramsOf = ({bytes, lengths}: LinkDatagrams): readonly Buffer[] => {
	const parts: Buffer[] = [];
	let offset = 0;
	for (const length of lengths) {
		parts.push(bytes.subarray(offset, offset + length));
		offset += length;
	}
	return parts;
};

const ipHeaderBytes = 20;
const udpHeaderBytes = 8;

/** A whole IPv4 datagram of UDP; its UDP checksum is left out, which IPv4 allows. */
export const sampleDatagram = (payload: Uint8Array, {group = '239.1.2.3', port = 3937} = {}): Buffer => {
	const datagram = Buffer.alloc(ipHeaderBytes + udpHeaderBytes + payload.length);
	datagram.writeUInt8(0x45, 0);
	datagram.writeUInt16BE(datagram.length, 2);
	datagram.writeUInt8(64, 8);
	datagram.writeUInt8(17, 9);
	datagram.set([10, 0, 0, 1], 12);
	datagram.set(group.split('.').map(Number), 16);
	let sum = 0;
	for (let at = 0; at < ipHeaderBytes; at += 2) {
		sum += datagram.readUInt16BE(at);
	}
	datagram.writeUInt16BE(~((sum & 0xff_ff) + (sum >>> 16)) & 0xff_ff, 10);
	datagram.writeUInt16BE(40_000, ipHeaderBytes);
	datagram.writeUInt16BE(port, ipHeaderBytes + 2);
	datagram.writeUInt16BE(udpHeaderBytes + payload.length, ipHeaderBytes + 4);
	datagram.set(payload, ipHeaderBytes + udpHeaderBytes);
	return datagram;
};
