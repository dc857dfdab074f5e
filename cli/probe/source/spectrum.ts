import type {SampleFormat} from '#cli/probe/source/find-source.ts';

const size = 512;
const windows = 64;
/** What a spectrum is made of. */
export const spectrumSamples = size * windows;
const powerMin = 1e-12;

/** Pairs of I and Q. */
export const toComplex = (bytes: Buffer, format: SampleFormat): Float64Array => {
	const width = format === 'float' ? 4 : 2;
	return Float64Array.from({length: Math.floor(bytes.length / width)}, (_, index) =>
		format === 'float' ? bytes.readFloatLE(index * width) : bytes.readInt16LE(index * width),
	);
};

/** In place, decimation in time; the length is a power of two. */
const transform = (re: Float64Array, im: Float64Array): void => {
	for (let index = 1, reversed = 0; index < size; index += 1) {
		let bit = size >> 1;
		for (; (reversed & bit) !== 0; bit >>= 1) {
			reversed ^= bit;
		}
		reversed ^= bit;
		if (index < reversed) {
			[re[index], re[reversed]] = [re[reversed] ?? 0, re[index] ?? 0];
			[im[index], im[reversed]] = [im[reversed] ?? 0, im[index] ?? 0];
		}
	}
	for (let span = 2; span <= size; span *= 2) {
		for (let start = 0; start < size; start += span) {
			for (let at = 0; at < span / 2; at += 1) {
				const [a, b] = [start + at, start + at + span / 2];
				const angle = (-2 * Math.PI * at) / span;
				const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
				const [x, y] = [re[b] ?? 0, im[b] ?? 0];
				const [u, v] = [x * cos - y * sin, x * sin + y * cos];
				re[b] = (re[a] ?? 0) - u;
				im[b] = (im[a] ?? 0) - v;
				re[a] = (re[a] ?? 0) + u;
				im[a] = (im[a] ?? 0) + v;
			}
		}
	}
};

/** Mean power over Hann windows in dB, the strongest 0, lowest frequency first (Welch). */
export const spectrumOf = (samples: Float64Array): readonly number[] => {
	const power = new Float64Array(size);
	const count = Math.min(windows, Math.floor(samples.length / 2 / size));
	for (let window = 0; window < count; window += 1) {
		const hann = (index: number): number => 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / size);
		const part = (offset: number): Float64Array =>
			Float64Array.from({length: size}, (_, index) => {
				return (samples[(window * size + index) * 2 + offset] ?? 0) * hann(index);
			});
		const [re, im] = [part(0), part(1)];
		transform(re, im);
		for (let bin = 0; bin < size; bin += 1) {
			power[bin] = (power[bin] ?? 0) + (re[bin] ?? 0) ** 2 + (im[bin] ?? 0) ** 2;
		}
	}
	const top = Math.max(powerMin, ...power);
	return Array.from({length: size}, (_, index) => {
		const each = power[(index + size / 2) % size] ?? 0;
		return 10 * Math.log10(Math.max(powerMin, each / top));
	});
};
