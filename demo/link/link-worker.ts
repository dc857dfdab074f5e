import {createSocket, type Socket} from 'node:dgram';
import {once} from 'node:events';
import {parentPort, workerData} from 'node:worker_threads';
import {type LinkCounter, linkCounters} from '#demo/link/link-stats.ts';
import {createLossModel, type Fade, type LossModel, type LossOptions, type PacketFate} from '#demo/link/loss-model.ts';
import type {LinkChannel, LinkOptions, LinkOrder} from '#demo/link/start-link.ts';

/** What a burst may pile up while this thread does not run; beyond it the kernel drops, as a modem would. */
const receiveBufferBytes = 8 * 1024 * 1024;
const multicastTtl = 1;

type LinkWorkerData = Required<LinkOptions> & {readonly counters: SharedArrayBuffer};

const data = workerData as LinkWorkerData;
const counts = new BigUint64Array(data.counters);
const count = (name: LinkCounter, amount = 1): void => {
	Atomics.add(counts, linkCounters.indexOf(name), BigInt(amount));
};

const state: {model: LossModel; extraFade: Fade; startedMs: number} = {
	model: createLossModel(data.model),
	extraFade: {atMs: 0, durationMs: 0},
	startedMs: performance.now(),
};

const setModel = (model: LossOptions): void => {
	state.model = createLossModel(model);
	state.startedMs = performance.now();
	state.extraFade = {atMs: 0, durationMs: 0};
};

const fateOfNext = (): PacketFate => {
	const elapsedMs = performance.now() - state.startedMs;
	const fate = state.model.decide(elapsedMs);
	const {atMs, durationMs} = state.extraFade;
	return elapsedMs >= atMs && elapsedMs < atMs + durationMs ? 'fade' : fate;
};

const damaged = (packet: Buffer, fate: 'truncate' | 'corrupt'): Buffer => {
	const at = Math.floor(state.model.random() * packet.length);
	if (fate === 'truncate') {
		return packet.subarray(0, at);
	}
	const copy = Buffer.from(packet);
	copy[at] = (copy[at] ?? 0) ^ (1 + Math.floor(state.model.random() * 255));
	return copy;
};

/** One channel: `delayed` is held until the next packet has passed it. */
const forwarder = (channel: LinkChannel, output: Socket): ((packet: Buffer) => void) => {
	let delayed: Buffer | undefined;
	const send = (packet: Buffer): void => {
		output.send(packet, channel.port, channel.group, (error) => {
			if (error !== null) {
				count('failed');
			}
		});
	};
	const releaseDelayed = (): void => {
		if (delayed !== undefined) {
			send(delayed);
			delayed = undefined;
		}
	};
	return (packet) => {
		count('packets');
		count('bytes', packet.length);
		const fate = fateOfNext();
		switch (fate) {
			case 'lose':
				return count('lost');
			case 'fade':
				return count('faded');
			case 'delay':
				releaseDelayed();
				delayed = packet;
				return count('delayed');
			case 'truncate':
			case 'corrupt':
				send(damaged(packet, fate));
				count('damaged');
				break;
			case 'duplicate':
				send(packet);
				send(packet);
				count('duplicated');
				break;
			case 'pass':
				send(packet);
				break;
		}
		releaseDelayed();
	};
};

const openChannel = async (channel: LinkChannel): Promise<void> => {
	const output = createSocket('udp4');
	output.bind(0, data.interfaceAddress);
	await once(output, 'listening');
	output.setMulticastInterface(data.interfaceAddress);
	output.setMulticastTTL(multicastTtl);
	output.setMulticastLoopback(true);
	const input = createSocket({type: 'udp4', reuseAddr: true, recvBufferSize: receiveBufferBytes});
	input.on('message', forwarder(channel, output));
	// Bound to the group, the socket hears no other group that shares the port.
	input.bind(channel.port + channel.portOffset, channel.group);
	await once(input, 'listening');
	if (channel.source === undefined) {
		input.addMembership(channel.group, data.interfaceAddress);
	} else {
		input.addSourceSpecificMembership(channel.source, channel.group, data.interfaceAddress);
	}
};

parentPort?.on('message', (order: LinkOrder) => {
	if (order.kind === 'model') {
		setModel(order.model);
	} else {
		state.extraFade = {atMs: performance.now() - state.startedMs, durationMs: order.durationMs};
	}
});
await Promise.all(data.channels.map(openChannel));
state.startedMs = performance.now();
parentPort?.postMessage('ready');
