import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import test from 'ava';
import {listModcods, type ModemStage, openTransmitChain, type TransmitOptions} from '#native/modem/modem.ts';

const stream = readFileSync(new URL('qpsk-1-4-short.ts.bin', import.meta.url));

/** What GNU Radio 3.10.5.1 (gr-dtv) makes of these packets: QPSK 1/4, short frames, no pilots. Of three frames, then of two. */
const stages = [
	['bbframe', 1152, 'd9211662d8fa7f0c4d4d4ce6cca0f1231ac7fd1fc05725220cea9a2f4ec00525'],
	['bbscrambled', 1152, '4c6d2329e84253d1013336d90f30368004da593db67127920d2a3532d303bd39'],
	['bch', 1215, '3e004084fc7ee4bca774d0ade76a62bcb87cc9d246079175954550fbeb9162b2'],
	['ldpc', 6075, 'debd15ade1227600ba2408ce0423ab3e38385f051899b59712c93318f3147dbb'],
	['symidx', 16_200, 'd730c6a75ffaeb2eca067c2fe5d8e2b936a29bc1db65cc45c3966174e5adde91'],
	['xfec', 129_600, 'eedd370625093e614acbc28652c88ae9ab61d699429b69cb461de6093f2581ee'],
	['plframe', 131_040, '85121dbedb67eb56711aff7a822a2ab739c5210dd7d21036b14e9084729fa628'],
] as const satisfies readonly (readonly [ModemStage, number, string])[];

const options: TransmitOptions = {
	pls: 6,
	goldIndex: 0,
	input: 'ts',
	stage: 'plframe',
	rollOff: 0.35,
	samplesPerSymbol: {interpolate: 2, decimate: 1},
	format: 'float',
};

const modulate = (changes: Partial<TransmitOptions>, input: Buffer = stream): Buffer => {
	const chain = openTransmitChain({...options, ...changes});
	return Buffer.concat([chain.write(input), chain.finish()]);
};

for (const [stage, bytes, sha256] of stages) {
	test(`${stage} is what GNU Radio makes`, (t) => {
		const made = modulate({stage});
		t.is(createHash('sha256').update(made.subarray(0, bytes)).digest('hex'), sha256);
	});
}

test('portions of any size make the same, and the last frame is padded', (t) => {
	const chain = openTransmitChain(options);
	const parts = [...stream].map((byte) => chain.write(Uint8Array.of(byte)));
	t.deepEqual(Buffer.concat([...parts, chain.finish()]), modulate({}));
	t.deepEqual(chain.totals(), {frames: 4, symbols: 4 * 8190});
});

test('BBFRAMEs make what their transport stream makes', (t) => {
	t.deepEqual(modulate({input: 'bbframe'}, modulate({stage: 'bbframe'})), modulate({}));
});

test('samples have the power of the symbols and the length of their rate, as floats and as integers', (t) => {
	const samplesPerSymbol = {interpolate: 5, decimate: 2};
	const floats = modulate({stage: 'iq', samplesPerSymbol});
	const integers = modulate({stage: 'iq', samplesPerSymbol, format: 'integer'});
	t.is(integers.length * 2, floats.length);
	const symbols = 4 * 8190 + 40;
	t.true(Math.abs(floats.length / 8 - symbols * 2.5) <= 2.5);
	let power = 0;
	let furthest = 0;
	for (let at = 0; at < floats.length; at += 4) {
		const value = floats.readFloatLE(at);
		power += value ** 2;
		furthest = Math.max(furthest, Math.abs(integers.readInt16LE(at / 2) - value * 8192));
	}
	t.true(Math.abs(power / (floats.length / 8) - 1) < 0.02);
	t.true(furthest <= 0.5);
});

test('low roll-offs are told by two frames in turn', (t) => {
	const frames = modulate({stage: 'bbframe', rollOff: 0.1});
	t.deepEqual(
		[0, 1, 2, 3].map((frame) => (frames[frame * 384] ?? 0) & 3),
		[3, 1, 3, 1],
	);
});

test('what makes no sense is refused with a code', (t) => {
	t.throws(() => openTransmitChain({...options, pls: 0}), {code: 'NATIVE_MODEM_ARGUMENT'});
	t.throws(() => openTransmitChain({...options, goldIndex: 262_143}), {code: 'NATIVE_MODEM_ARGUMENT'});
	const samplesPerSymbol = {interpolate: 1, decimate: 2};
	t.throws(() => openTransmitChain({...options, stage: 'iq', samplesPerSymbol}), {code: 'NATIVE_MODEM_ARGUMENT'});
	t.throws(() => openTransmitChain(options).write(new Uint8Array(188)), {code: 'NATIVE_MODEM_INPUT'});
	const chain = openTransmitChain(options);
	chain.write(stream.subarray(0, 100));
	t.throws(() => chain.finish(), {code: 'NATIVE_MODEM_INPUT'});
});

test('every MODCOD of the two parts is listed once', (t) => {
	const modcods = listModcods();
	t.is(modcods.length, 214 + 9);
	t.is(new Set(modcods.map(({name, frame, pilots}) => `${name} ${frame} ${pilots}`)).size, modcods.length);
	t.like(
		modcods.find(({pls}) => pls === 57),
		{name: '8PSK 3/4', bbFrameBits: 48_408, frameSymbols: 22_194},
	);
});

test('VL-SNR frames that end within a byte lie without gaps, in and out', (t) => {
	const pls = 257;
	const frames = modulate({pls, stage: 'bbframe'});
	const {bbFrameBits = 0} = listModcods().find((each) => each.pls === pls) ?? {};
	t.is(bbFrameBits % 8, 4);
	const count = modulate({pls, stage: 'symidx'}).length / 30_780;
	t.is(frames.length, Math.ceil((count * bbFrameBits) / 8));
	t.deepEqual(modulate({pls, input: 'bbframe'}, frames), modulate({pls}));
	t.is(modulate({pls}).length, count * 33_282 * 8);
});
