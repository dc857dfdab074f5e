import {randomBytes, randomInt} from 'node:crypto';
import test, {type ExecutionContext} from 'ava';
import {type LinkFormat, openDecapsulator, openEncapsulator} from '#native/link/link.ts';
import {eventually} from '#test/helper/eventually.ts';
import {objectOf, plainFec, sendFdt} from '#test/helper/flute-programme.ts';
import {freeUdpPort} from '#test/helper/free-udp-port.ts';
import {sampleFormats} from '#test/helper/sample-link.ts';
import {withFluteReceiver} from '#test/helper/with-flute-receiver.ts';
import {withFluteSender} from '#test/helper/with-flute-sender.ts';

const interfaceAddress = '127.0.0.1';
/** By which the receiver tells what has crossed the carrier from what the sender sent on this very host. */
const emittedFrom = '127.0.0.2';

/** FLUTE on a group, through the carrier, to a FLUTE receiver of the same group. */
const carry = async (t: ExecutionContext, format: LinkFormat): Promise<void> => {
	const {receiver, endpoint, bytesOf} = await withFluteReceiver(t, {endpoints: []});
	// Of the source-specific range: what is sent on this host would otherwise be heard, too.
	const inner = {...endpoint, group: `232.255.${randomInt(1, 255)}.${randomInt(1, 255)}`};
	receiver.join({...inner, source: emittedFrom});
	const carrier = {group: inner.group.replace('232', '239'), port: await freeUdpPort(), interfaceAddress};
	await using decapsulator = openDecapsulator({
		// The carrier does not wait for a machine that is given no time.
		input: {kind: 'udp', ...carrier, receiveBufferBytes: 64 * 1024 * 1024},
		emit: {interfaceAddress, sourceAddress: emittedFrom},
	});
	await using encapsulator = openEncapsulator({
		...{format, rate: {bits: 30_000_000, seconds: 1}, output: {kind: 'udp', ...carrier}},
		inputs: [{...inner, source: interfaceAddress}],
	});
	await eventually('the carrier', () => {
		const {transports, frames} = decapsulator.contents();
		return format.kind === 'gse' ? frames.length > 0 : transports[0]?.services[0]?.streams.length === 1;
	});
	const bytes = randomBytes(700_000);
	const {sender} = withFluteSender(t, {rateBps: 20_000_000});
	const destination = {group: inner.group, port: inner.port};
	const object = objectOf(1, 'http://dvb.gw/object', bytes);
	sendFdt(sender, [object], {destination, tsi: 1, fec: plainFec});
	sender.enqueue({lane: 'main', destination, tsi: 1, toi: 1, source: object.source, fec: plainFec, closeObject: true});
	t.true(bytes.equals(await bytesOf('http://dvb.gw/object')));
	t.is(receiver.stats().packets, encapsulator.stats().datagrams);
	t.is(encapsulator.stats().droppedDatagrams, 0);
};

for (const [name, format] of Object.entries(sampleFormats)) {
	test(`an object crosses ${name} byte by byte`, carry, format);
}
