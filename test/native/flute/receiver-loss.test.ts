import {randomBytes} from 'node:crypto';
import test, {type ExecutionContext} from 'ava';
import type {FluteFec} from '#native/flute/sender.ts';
import {objectOf, plainFec, repairedFec, sendFdt, sendObjects} from '#test/helper/flute-programme.ts';
import {seededRandom} from '#test/helper/seeded-random.ts';
import {type RelayRule, withDatagramRelay} from '#test/helper/with-datagram-relay.ts';
import {type FluteReception, withFluteReceiver} from '#test/helper/with-flute-receiver.ts';
import {withFluteSender} from '#test/helper/with-flute-sender.ts';

const tsi = 1;
const objectBytes = 1_000_003;
const location = 'http://dvb.gw/film';

/** Fills every hole from `bytes` each time a transmission ends, as repair over HTTP does. */
const repairFrom = async (reception: FluteReception, bytes: Uint8Array): Promise<Buffer> => {
	await reception.until('ended with holes', () => reception.all('ended').length > 0);
	const object = reception.objectAt(location);
	for (const {offset, length} of reception.receiver.missing(object?.id ?? 0)) {
		reception.receiver.write(object?.id ?? 0, offset, bytes.subarray(offset, offset + length));
	}
	return reception.bytesOf(location);
};

type Path = {readonly rule: () => RelayRule; readonly fec: FluteFec; readonly repaired: boolean};

const arrives = test.macro(async (t: ExecutionContext, {rule, fec, repaired}: Path) => {
	const reception = await withFluteReceiver(t);
	const {sender} = withFluteSender(t);
	const bytes = randomBytes(objectBytes);
	const objects = [objectOf(7, location, bytes)];
	const relayed = await withDatagramRelay(t, reception.endpoint, rule());
	sendFdt(sender, objects, {destination: reception.endpoint, tsi, fec});
	sendObjects(sender, objects, {destination: relayed, tsi, fec});
	const received = repaired ? await repairFrom(reception, bytes) : await reception.bytesOf(location);
	t.true(received.equals(bytes));
	const [complete] = reception.all('complete');
	t.is(complete !== undefined && complete.repairedBytes > 0, repaired);
	t.is(reception.receiver.stats().kernelDrops, 0);
});

const losing = (ratio: number) => (): RelayRule => {
	const random = seededRandom(42);
	return (datagram) => (random() < ratio ? [] : [datagram]);
};

test('arrives without loss', arrives, {rule: losing(0), fec: plainFec, repaired: false});
test('1 % loss is filled by FEC alone', arrives, {rule: losing(0.01), fec: repairedFec, repaired: false});
test('5 % loss is filled by FEC alone', arrives, {rule: losing(0.05), fec: repairedFec, repaired: false});
test('1 % loss without FEC is filled by repair', arrives, {rule: losing(0.01), fec: plainFec, repaired: true});
test('20 % loss is filled by FEC and repair', arrives, {rule: losing(0.2), fec: repairedFec, repaired: true});

test('a burst in mid-object is filled by repair', arrives, {
	rule: () => (datagram, index) => (index > 200 && index < 500 ? [] : [datagram]),
	fec: repairedFec,
	repaired: true,
});

test('order does not matter, nor do duplicates', arrives, {
	rule: () => {
		const random = seededRandom(7);
		const held: Buffer[] = [];
		return (datagram, index) => {
			held.push(datagram);
			// The last packets of 715 go straight, so that none stays held.
			const out: Buffer[] = [];
			while (held.length > (index > 650 ? 0 : 40)) {
				const [picked] = held.splice(Math.floor(random() * held.length), 1);
				if (picked !== undefined) {
					out.push(picked, ...(random() < 0.1 ? [picked] : []));
				}
			}
			return out;
		};
	},
	fec: plainFec,
	repaired: false,
});

test('truncated packets count as lost', arrives, {
	rule: () => {
		const random = seededRandom(9);
		return (datagram) => [random() < 0.05 ? datagram.subarray(0, Math.floor(random() * datagram.length)) : datagram];
	},
	fec: repairedFec,
	repaired: false,
});

test('a fade of one second is filled by the next pass of the carousel', async (t) => {
	const reception = await withFluteReceiver(t, {objectIdleMs: 300});
	const {sender} = withFluteSender(t, {rateBps: 4_000_000});
	const bytes = randomBytes(objectBytes);
	const objects = [objectOf(7, location, bytes)];
	// Of a pass of 715 packets so many as go in a second.
	const relayed = await withDatagramRelay(t, reception.endpoint, (datagram, index) =>
		index > 100 && index < 450 ? [] : [datagram],
	);
	sendFdt(sender, objects, {destination: reception.endpoint, tsi, fec: plainFec});
	for (let pass = 0; pass < 2; pass++) {
		sendObjects(sender, objects, {destination: relayed, tsi, fec: plainFec});
	}
	t.true((await reception.bytesOf(location)).equals(bytes));
	const [ended] = reception.all('ended');
	t.true(ended !== undefined && ended.missingBytes > 100_000, 'the fade was a fade');
});
