import {randomBytes} from 'node:crypto';
import {readFileSync} from 'node:fs';
import test from 'ava';
import {listModcods, openTransmitChain, type TransmitOptions} from '#native/modem/modem.ts';
import {openReceiver, type ReceiverOptions} from '#native/modem/receiver.ts';

const stream = readFileSync(new URL('qpsk-1-4-short.ts.bin', import.meta.url));

const transmit: TransmitOptions = {
	pls: 6,
	goldIndex: 11,
	input: 'ts',
	stage: 'iq',
	rollOff: 0.25,
	samplesPerSymbol: {interpolate: 5, decimate: 2},
	format: 'integer',
};
const receive: ReceiverOptions = {samplesPerSymbol: 2.5, rollOff: 0.25, goldIndex: 11, format: 'integer'};

const modulate = (changes: Partial<TransmitOptions>): Buffer => {
	const chain = openTransmitChain({...transmit, ...changes});
	return Buffer.concat([chain.write(stream), chain.finish()]);
};

test('what the transmit chain makes of a transport stream comes back as its BBFRAMEs, in portions of any size', async (t) => {
	const samples = modulate({});
	const receiver = openReceiver(receive);
	const parts = await Promise.all([
		receiver.write(samples.subarray(0, 70_001)),
		receiver.write(samples.subarray(70_001)),
		receiver.finish(),
	]);
	const frames = parts.flat();
	t.deepEqual(
		frames.map(({pls}) => pls),
		[6, 6, 6, 6],
	);
	t.deepEqual(Buffer.concat(frames.flatMap(({bytes = []}) => [Uint8Array.from(bytes)])), modulate({stage: 'bbframe'}));
	const {merDb, ...totals} = await receiver.totals();
	t.like(totals, {frames: 4, failedFrames: 0, dummyFrames: 0, syncLosses: 0, symbols: 4 * 8190});
	t.true(merDb > 35);
	const points = await receiver.constellation();
	t.true(points.length > 1000 && points.every((each) => Math.abs(Math.abs(each) - Math.SQRT1_2) < 0.1));
});

test('with another scrambling sequence frames are found, and none is decoded', async (t) => {
	const receiver = openReceiver({...receive, goldIndex: 12});
	const frames = [...(await receiver.write(modulate({}))), ...(await receiver.finish())];
	t.true(frames.length > 0);
	t.true(frames.every(({bytes}) => bytes === undefined));
	t.is((await receiver.totals()).frames, 0);
});

test('noise and cut samples give no frames, and nonsense is refused', async (t) => {
	for (const bytes of [
		randomBytes(300_003),
		Buffer.alloc(300_000),
		modulate({}).subarray(0, 40_000),
		Buffer.alloc(0),
	]) {
		const receiver = openReceiver(receive);
		t.deepEqual([...(await receiver.write(bytes)), ...(await receiver.finish())], []);
	}
	t.throws(() => openReceiver({...receive, samplesPerSymbol: 0.9}), {code: 'NATIVE_MODEM_ARGUMENT'});
	t.throws(() => openReceiver({...receive, goldIndex: -1}), {code: 'NATIVE_MODEM_ARGUMENT'});
	await t.throwsAsync(openReceiver(receive).write('text' as never), {code: 'NATIVE_MODEM_ARGUMENT'});
});

test('normal frames say what Es/N0 they need', (t) => {
	const threshold = (pls: number) => listModcods().find((each) => each.pls === pls)?.thresholdDb;
	t.is(threshold(57), 7.91);
	t.is(threshold(4), -2.35);
	t.is(threshold(6), undefined);
});
