import test from 'ava';
import {createReading} from '#native/dvb/reading.ts';
import {NativeError} from '#native/native-error.ts';
import {openKernelCarriage, openPump} from '#stb/tuner/pump.ts';
import {eventually} from '#test/helper/eventually.ts';

const none = {bytes: 0, overruns: 0, dropped: 0, damaged: 0};

const pumping = (accept: (bytes: Uint8Array) => boolean) => {
	const closed: string[] = [];
	const sources = createSources();
	const pump = openPump({
		tuner: {
			read: ({signal}) => {
				const source = createReading({
					...{signal, queueBytesMax: 1000},
					stats: () => ({...none, overruns: 3}),
					onClose: () => {
						closed.push('reading');
						return undefined;
					},
				});
				sources.set(source);
				return source.reading;
			},
		},
		openSource: () => ({
			write: accept,
			stats: () => ({damage: {'section-crc': 2}, datagrams: 7}),
			[Symbol.asyncDispose]: () => {
				closed.push('source');
				return Promise.resolve();
			},
		}),
		signal: new AbortController().signal,
	});
	return {pump, closed, source: sources.get()};
};

const createSources = () => {
	let source: ReturnType<typeof createReading> | undefined;
	return {
		set: (opened: ReturnType<typeof createReading>) => {
			source = opened;
		},
		get: () => source as ReturnType<typeof createReading>,
	};
};

test('bytes go on in order, and wait while the decapsulator is full', async (t) => {
	const taken: string[] = [];
	let refusals = 3;
	const {pump, source, closed} = pumping((bytes) => {
		if (refusals > 0) {
			refusals -= 1;
			return false;
		}
		taken.push(Buffer.from(bytes).toString());
		return true;
	});
	source.push(Buffer.from('a'));
	source.push(Buffer.from('b'));
	await eventually('both are taken', () => taken.length === 2);
	t.deepEqual(taken, ['a', 'b']);
	t.like(pump.stats(), {overruns: 3, damage: {'section-crc': 2}, datagrams: 7});
	await pump[Symbol.asyncDispose]();
	t.deepEqual(closed, ['reading', 'source']);
	t.is(pump.failure, undefined);
});

test('a device that goes away is told of with its cause; the end of a recording is none', async (t) => {
	const gone = pumping(() => true);
	gone.source.end(new NativeError('NATIVE_DVB_GONE', 'gone'));
	await eventually('the failure shows', () => gone.pump.failure !== undefined);
	t.like(gone.pump.failure, {code: 'STB_TUNER_READING_FAILED', cause: {code: 'NATIVE_DVB_GONE'}});
	await gone.pump[Symbol.asyncDispose]();
	const ended = pumping(() => true);
	ended.source.end();
	await eventually('the reading is closed', () => ended.closed.length > 0);
	t.is(ended.pump.failure, undefined);
	await ended.pump[Symbol.asyncDispose]();
});

test('the kernel’s net interface is held as long as the pump', async (t) => {
	const held: string[] = [];
	const pump = openKernelCarriage(() => {
		held.push('opened');
		return {[Symbol.dispose]: () => held.push('closed')};
	});
	t.like(pump.stats(), {datagrams: 0, overruns: 0});
	await pump[Symbol.asyncDispose]();
	t.deepEqual(held, ['opened', 'closed']);
});
