import {createSocket, type Socket} from 'node:dgram';
import {once} from 'node:events';
import test, {type ExecutionContext} from 'ava';
import {sleep} from '#appliance/time/sleep.ts';
import type {LossOptions} from '#demo/link/loss-model.ts';
import {type Link, startLink} from '#demo/link/start-link.ts';

const group = '239.255.77.1';
const portOffset = 1;
const settleMs = 20_000;

const withSocket = async (t: ExecutionContext, port: number): Promise<Socket> => {
	const socket = createSocket({type: 'udp4', reuseAddr: true, recvBufferSize: 4_000_000});
	t.teardown(() => socket.close());
	socket.bind(port, port === 0 ? '127.0.0.1' : group);
	await once(socket, 'listening');
	return socket;
};

/** Two ports in a row that nobody holds: the link's way in and its way out. */
const freePort = async (): Promise<number> => {
	const socket = createSocket('udp4');
	socket.bind(0, '127.0.0.1');
	await once(socket, 'listening');
	const {port} = socket.address();
	socket.close();
	return port;
};

const withLink = async (t: ExecutionContext, model: LossOptions) => {
	const port = await freePort();
	const link = await startLink({channels: [{group, port, portOffset}], model});
	t.teardown(() => link[Symbol.asyncDispose]());
	const receiver = await withSocket(t, port);
	receiver.addMembership(group, '127.0.0.1');
	const received: Buffer[] = [];
	receiver.on('message', (packet) => received.push(packet));
	const sender = await withSocket(t, 0);
	sender.setMulticastInterface('127.0.0.1');
	const send = async (first: number, packets: number): Promise<void> => {
		for (let index = first; index < first + packets; index += 1) {
			const packet = Buffer.alloc(200);
			packet.writeUInt32BE(index);
			sender.send(packet, port + portOffset, group);
			if (index % 50 === 0) {
				await sleep(1);
			}
		}
	};
	return {link, received, send};
};

const settled = async (t: ExecutionContext, link: Link, packets: number, done: () => boolean): Promise<void> => {
	const deadlineMs = performance.now() + settleMs;
	while (link.stats().packets < packets || !done()) {
		if (performance.now() > deadlineMs) {
			t.log(link.stats());
			return t.fail('the link did not carry the packets in time');
		}
		await sleep(10);
	}
};

test.serial('a link without loss carries every byte in order', async (t) => {
	const {link, received, send} = await withLink(t, {seed: 1});
	await send(0, 500);
	await settled(t, link, 500, () => received.length >= 500);
	t.deepEqual(
		received.map((packet) => packet.readUInt32BE()),
		Array.from({length: 500}, (_, index) => index),
	);
	t.is(link.stats().injectedRatio, 0);
	t.is(link.stats().bytes, 500 * 200);
});

test.serial('what does not arrive is exactly what the link counts as lost', async (t) => {
	const {link, received, send} = await withLink(t, {seed: 2, lossRatio: 0.2});
	await send(0, 1000);
	await settled(t, link, 1000, () => received.length + link.stats().lost >= 1000);
	t.is(received.length + link.stats().lost, 1000);
	t.true(link.stats().lost > 120 && link.stats().lost < 280);
});

test.serial('a fade on order loses everything until it ends', async (t) => {
	const {link, received, send} = await withLink(t, {seed: 3});
	link.fade(60_000);
	// The order travels to the thread; packets before it pass.
	const deadlineMs = performance.now() + settleMs;
	while (link.stats().faded === 0 && performance.now() < deadlineMs) {
		await send(0, 1);
		await sleep(10);
	}
	const {packets} = link.stats();
	const before = received.length;
	await send(0, 50);
	await settled(t, link, packets + 50, () => true);
	t.is(received.length, before);
	link.setModel({seed: 3});
	while (received.length === before && performance.now() < deadlineMs) {
		await send(0, 1);
		await sleep(10);
	}
	t.true(received.length > before);
});

test.serial('duplicates, late, cut and changed packets come out as such', async (t) => {
	const {link, received, send} = await withLink(t, {
		seed: 4,
		duplicateRatio: 0.1,
		delayRatio: 0.1,
		truncateRatio: 0.1,
		corruptRatio: 0.1,
	});
	await send(0, 500);
	await settled(t, link, 500, () => received.length >= 500 + link.stats().duplicated - 1);
	const stats = link.stats();
	t.true(stats.duplicated > 20 && stats.delayed > 20 && stats.damaged > 40);
	t.true(received.some((packet) => packet.length < 200));
	const whole = received.filter((packet) => packet.length === 200).map((packet) => packet.readUInt32BE());
	t.true(whole.some((value, index) => index > 0 && value < (whole[index - 1] ?? 0)));
});

test.serial('a port that another program holds alone is refused with a code', async (t) => {
	const port = await freePort();
	const holder = createSocket('udp4');
	t.teardown(() => holder.close());
	holder.bind(port + portOffset, '0.0.0.0');
	await once(holder, 'listening');
	await t.throwsAsync(startLink({channels: [{group, port, portOffset}], model: {seed: 1}}), {
		code: 'DEMO_LINK_START_FAILED',
	});
});
