import {createSocket, type RemoteInfo, type Socket} from 'node:dgram';
import {once} from 'node:events';
import type {ExecutionContext} from 'ava';
import {createLossModel, type LossOptions} from '#demo/link/loss-model.ts';
import {freeUdpPort} from '#test/helper/free-udp-port.ts';

/** QEMU's group for cables (`startMachine`). */
const cableGroup = '230.0.0.1';
const loopback = '127.0.0.1';
const receiveBufferBytes = 8 * 1024 * 1024;
const headerBytes = {ethernet: 14, shortestIp: 20} as const;
const etherTypeIpv4 = 0x08_00;
const protocolUdp = 17;

export type LossyCable = {
	/** Two ends of one network, for `startMachine`. */
	readonly ports: readonly [number, number];
	/** Of what a satellite would carry, since the cable was laid. */
	readonly count: () => {readonly carried: number; readonly lost: number};
	/** Puts a frame on the second cable, as another machine there does. */
	readonly send: (frame: Buffer) => void;
	/** Told each frame that a machine sends on the second cable. */
	readonly listen: (onFrame: (frame: Buffer) => void) => Disposable;
};

type End = {readonly port: number; readonly input: Socket; readonly output: Socket};

/**
 * A network of two cables with the satellite between them: what is multicast to a group of the content suffers the model's
 * loss, everything else crosses whole. It knows Ethernet and IP, and nothing of what it carries.
 */
export const withLossyCable = async (t: ExecutionContext, options: LossOptions): Promise<LossyCable> => {
	const ends = [await openEnd(t), await openEnd(t)] as const;
	const model = createLossModel(options);
	const count = {carried: 0, lost: 0};
	const startedMs = performance.now();
	const isLost = (frame: Buffer): boolean => {
		if (!isContent(frame)) {
			return false;
		}
		const lost = model.decide(performance.now() - startedMs) !== 'pass';
		count[lost ? 'lost' : 'carried'] += 1;
		return lost;
	};
	const connect = (from: End, to: End): void => {
		const own = from.output.address().port;
		from.input.on('message', (frame, {port}) => {
			// A group on loopback is heard by whoever sends to it as well.
			if (port !== own && !isLost(frame)) {
				to.output.send(frame, to.port, cableGroup);
			}
		});
	};
	connect(ends[0], ends[1]);
	connect(ends[1], ends[0]);
	const [, {input, output, port}] = ends;
	return {
		ports: [ends[0].port, port],
		count: () => ({...count}),
		send: (frame) => output.send(frame, port, cableGroup),
		listen: (onFrame) => {
			const own = output.address().port;
			const take = (frame: Buffer, from: RemoteInfo): void => void (from.port !== own && onFrame(frame));
			input.on('message', take);
			return {[Symbol.dispose]: () => input.off('message', take)};
		},
	};
};

const openEnd = async (t: ExecutionContext): Promise<End> => {
	const port = await freeUdpPort();
	const input = createSocket({type: 'udp4', reuseAddr: true, recvBufferSize: receiveBufferBytes});
	const output = createSocket('udp4');
	t.teardown(() => {
		input.close();
		output.close();
	});
	input.bind(port, cableGroup);
	await once(input, 'listening');
	input.addMembership(cableGroup, loopback);
	output.bind(0, loopback);
	await once(output, 'listening');
	output.setMulticastInterface(loopback);
	output.setMulticastLoopback(true);
	return {port, input, output};
};

/** UDP to a group that routers forward (RFC 5771 section 4 keeps 224.0.0.0/24 to one network, mDNS among it). */
const isContent = (frame: Buffer): boolean => {
	const ip = headerBytes.ethernet;
	if (frame.length < ip + headerBytes.shortestIp || frame.readUInt16BE(ip - 2) !== etherTypeIpv4) {
		return false;
	}
	const [first = 0, second, third] = frame.subarray(ip + 16, ip + 20);
	const isLocal = first === 224 && second === 0 && third === 0;
	return frame[ip + 9] === protocolUdp && first >= 224 && first < 240 && !isLocal;
};
