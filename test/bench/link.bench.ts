import {z} from 'zod';
import type {Bench} from './bench-row.ts';
import {runNativeBench} from './run-native-bench.ts';

const bar = 0.3;

const figureSchema = z.object({
	name: z.string(),
	copyGbps: z.number(),
	encodeGbps: z.number(),
	decodeGbps: z.number(),
	isWhole: z.boolean(),
});

/** IP datagrams of 1456 bytes into the carrier and out of it, on one core and without sockets. */
export const run: Bench = async ({signal, progress}) => {
	progress('MPE, ULE and GSE against a bare copy of the same datagrams');
	const figures = figureSchema.array().parse(await runNativeBench('link_bench', [], {signal}));
	return figures.flatMap(({name, copyGbps, encodeGbps, decodeGbps, isWhole}) => {
		const reference = `memcpy of the same datagrams: ${copyGbps.toFixed(0)} Gbit/s`;
		const row = (verb: string, value: number) => {
			const ratio = value / copyGbps;
			return {
				name: `link.${verb} ${name}`,
				value,
				unit: 'Gbit/s',
				reference,
				ratio,
				bar,
				pass: isWhole && ratio >= bar,
			};
		};
		return [row('encapsulate', encodeGbps), row('decapsulate', decodeGbps)];
	});
};
