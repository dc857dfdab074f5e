import {z} from 'zod';
import type {Bench} from './bench-row.ts';
import {runNativeBench} from './run-native-bench.ts';

const bar = 0.8;

const figureSchema = z.object({
	k: z.int(),
	n: z.int(),
	symbolBytes: z.int(),
	bareGbps: z.number(),
	encodeGbps: z.number(),
	encodeRatio: z.number(),
	decodeGbps: z.number(),
	decodeRatio: z.number(),
});

/** Reed-Solomon as the sender codes and the receiver recovers it, with as many symbols lost as can be repaired. */
export const run: Bench = async ({signal, progress}) => {
	progress('Reed-Solomon against bare ISA-L, five geometries');
	const figures = figureSchema.array().parse(await runNativeBench('fec_bench', [], {signal}));
	return figures.flatMap(({k, n, symbolBytes, bareGbps, ...ours}) => {
		const reference = `ec_encode_data of ${n - k} from ${k} symbols of ${symbolBytes} bytes: ${bareGbps.toFixed(1)} Gbit/s`;
		const row = (verb: string, value: number, ratio: number) => ({
			...{name: `fec.${verb} k=${k} n=${n}`, value, unit: 'Gbit/s', reference, ratio, bar},
			pass: ratio >= bar,
		});
		return [row('encode', ours.encodeGbps, ours.encodeRatio), row('decode', ours.decodeGbps, ours.decodeRatio)];
	});
};
