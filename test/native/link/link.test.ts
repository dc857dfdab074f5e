import {randomBytes} from 'node:crypto';
import test, {type ExecutionContext} from 'ava';
import {damageKinds} from '#native/link/damage-kind.ts';
import {
	type EncapsulatorOptions,
	type LinkFormat,
	nativeDamageKinds,
	openDecapsulator,
	openEncapsulator,
} from '#native/link/link.ts';
import {openPacketSender} from '#native/packet/packet.ts';
import {eventually} from '#test/helper/eventually.ts';
import {freeUdpPort} from '#test/helper/free-udp-port.ts';
import {sampleFormats, sampleTransport} from '#test/helper/sample-link.ts';
import {withDatagrams} from '#test/helper/with-datagrams.ts';

const interfaceAddress = '127.0.0.1';
/** By which what the decapsulator emits is told from what the sender sent. */
const emittedFrom = '127.0.0.2';
const drained = {signal: AbortSignal.timeout(60_000)};
const rate = {bits: 20_000_000, seconds: 1};
const mpe: LinkFormat = {kind: 'mpe', transport: sampleTransport};

const payloads = [1, 0, 1400, 1400, 900, ...Array.from({length: 200}, (_, index) => 1 + index * 7)].map((length) =>
	randomBytes(length),
);

/** From a group's sender through an encapsulator and a decapsulator on loopback to the same group's receiver. */
const carry = async (
	t: ExecutionContext,
	{format, kind}: {readonly format: LinkFormat; readonly kind: 'udp' | 'rtp'},
): Promise<void> => {
	const {group, port, atLeast, received} = await withDatagrams(t, {group: '232.9.9.2', source: emittedFrom});
	const carrier = {group: '239.255.42.9', port: await freeUdpPort(), interfaceAddress};
	await using decapsulator = openDecapsulator({
		// The carrier does not wait for a machine that is given no time.
		input: {kind: 'udp', ...carrier, receiveBufferBytes: 64 * 1024 * 1024},
		emit: {interfaceAddress, sourceAddress: emittedFrom},
	});
	const options: EncapsulatorOptions = {
		...{format, rate, output: {kind, ...carrier}},
		inputs: [{group, port, source: interfaceAddress, interfaceAddress}],
		onFailed: ({message}) => t.fail(message),
	};
	await using encapsulator = openEncapsulator(options);
	// A receiver knows of no PID before it has read the tables.
	await eventually('the carrier', () => {
		const {transports, frames} = decapsulator.contents();
		return format.kind === 'gse' ? frames.length > 0 : transports[0]?.services[0]?.streams.length === 1;
	});
	await using sender = openPacketSender({interfaceAddress, rateBps: 10_000_000});
	const lengths = Uint32Array.from(payloads, ({length}) => length);
	sender.send({destination: {group, port}, bytes: Buffer.concat(payloads), lengths});
	await sender.drain(drained);
	await atLeast(payloads.length);
	t.deepEqual(received, payloads);
	t.like(encapsulator.stats(), {datagrams: payloads.length, droppedDatagrams: 0, refusedDatagrams: 0});
	// What has come out is counted a moment later.
	const stats = await eventually('all is counted', () => {
		const now = decapsulator.stats();
		return now.emittedDatagrams >= payloads.length && now;
	});
	t.like(stats, {emittedDatagrams: payloads.length, failedDatagrams: 0, unemittedDatagrams: 0});
	t.deepEqual(
		Object.entries(stats.damage).filter(([, count]) => count > 0),
		[],
	);
};

for (const [name, format] of Object.entries(sampleFormats)) {
	test(`datagrams of a group cross ${name} over UDP and come out in their group`, carry, {format, kind: 'udp'});
}
test('datagrams of a group cross MPE in TS over RTP', carry, {format: mpe, kind: 'rtp'});

test('kinds of damage have the names that the addon counts by', (t) => {
	t.deepEqual(nativeDamageKinds(), damageKinds);
});
