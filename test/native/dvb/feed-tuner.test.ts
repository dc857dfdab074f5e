import {createSocket} from 'node:dgram';
import {once} from 'node:events';
import test from 'ava';
import type {TunerSource} from '#native/dvb/dvb.ts';
import {openTuner} from '#native/dvb/dvb.ts';
import {eventually} from '#test/helper/eventually.ts';
import {freeUdpPort} from '#test/helper/free-udp-port.ts';
import {makeTableSection, makeTransportPackets} from '#test/helper/make-transport-packets.ts';
import type {TestOwner} from '#test/helper/with-directory.ts';

const section = makeTableSection({tableId: 0x42, extension: 1001}, Buffer.alloc(300, 7));
const packets = makeTransportPackets(17, [section]);

const withFeed = async (t: TestOwner, format: 'ts' | 'bbframe') => {
	const port = await freeUdpPort();
	const source: TunerSource = {kind: 'udp', format, group: '127.0.0.1', port};
	const tuner = openTuner(source);
	t.teardown(() => tuner.close());
	const socket = createSocket('udp4');
	t.teardown(() => new Promise<void>((resolve) => socket.close(() => resolve())));
	socket.bind(0, '127.0.0.1');
	await once(socket, 'listening');
	return {tuner, send: (payload: Buffer) => socket.send(payload, port, '127.0.0.1')};
};

test('packets come bare and in RTP, and what is neither is left out', async (t) => {
	const {tuner, send} = await withFeed(t, 'ts');
	const signal = AbortSignal.timeout(60_000);
	const all = tuner.read({pids: 'all', signal});
	const rtp = Buffer.concat([Buffer.of(0x80, 33), Buffer.alloc(10), packets]);
	for (const payload of [Buffer.from('no packets'), packets.subarray(1), packets, rtp]) {
		send(payload);
	}
	let received = Buffer.alloc(0);
	for await (const bytes of all) {
		received = Buffer.concat([received, bytes]);
		if (received.length >= packets.length * 2) {
			break;
		}
	}
	t.deepEqual(received, Buffer.concat([packets, packets]));
});

test('sections and PIDs are taken from one feed side by side', async (t) => {
	const {tuner, send} = await withFeed(t, 'ts');
	const signal = AbortSignal.timeout(60_000);
	const sections = tuner.sections({pid: 17, value: Uint8Array.of(0x42), signal});
	const others = tuner.sections({pid: 17, value: Uint8Array.of(0x46), signal});
	const some = tuner.read({pids: [18], signal});
	const foreign = makeTransportPackets(18, [makeTableSection({tableId: 0x4e, extension: 1}, Buffer.alloc(4))]);
	const damaged = Buffer.from(packets);
	damaged.writeUInt8(8, 50);
	send(damaged);
	send(Buffer.concat([packets, foreign]));
	t.deepEqual((await sections.next()).value, section);
	t.deepEqual((await some.next()).value, foreign);
	await others.return?.();
	t.is(others.stats().dropped, 0);
	t.true(sections.stats().bytes >= packets.length);
});

test('it is locked while it hears something', async (t) => {
	const {tuner, send} = await withFeed(t, 'ts');
	t.false((await tuner.statistics()).locked);
	await eventually('the feed is heard', async () => {
		send(packets);
		return (await tuner.statistics()).locked;
	});
	await eventually('the feed is lost', async () => !(await tuner.statistics()).locked);
	t.pass();
});

test('BBFRAMEs lose the head of their mode adaptation, and have no sections', async (t) => {
	const {tuner, send} = await withFeed(t, 'bbframe');
	const signal = AbortSignal.timeout(60_000);
	t.throws(() => tuner.sections({pid: 0, signal}), {code: 'NATIVE_DVB_REFUSED'});
	t.throws(() => tuner.pes({pid: 0, signal}), {code: 'NATIVE_DVB_REFUSED'});
	const frames = tuner.read({pids: 'all', signal});
	const frame = Buffer.from('720000000bd00000000015', 'hex');
	send(Buffer.concat([Buffer.of(0xb8, 0x0e, 0, 1), frame]));
	t.deepEqual((await frames.next()).value, frame);
	await tuner.close();
	t.throws(() => tuner.read({pids: 'all', signal}), {code: 'NATIVE_DVB_CLOSED'});
	t.true((await frames.next()).done);
});
