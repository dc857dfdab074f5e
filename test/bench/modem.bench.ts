import {loadavg} from 'node:os';
import {z} from 'zod';
import type {Bench, BenchOption, BenchRow} from './bench-row.ts';
import {type GrDtvFigures, measureGrDtv} from './modem/measure-gr-dtv.ts';
import {runNativeBench} from './run-native-bench.ts';

export const takes: readonly BenchOption[] = ['reference'];

const pls8psk34Pilots = '57';
const seconds = '2';
const symbolRateMsym = 27.5;
const bars = {frame: 4, shaped: 3, coreShare: 0.3} as const;

const figureSchema = z.object({
	modcod: z.string(),
	kernels: z.string(),
	frameMsymPerSecond: z.number(),
	shapedMsymPerSecond: z.number(),
	integersMsymPerSecond: z.number(),
	nsPerSymbol: z.record(z.string(), z.number()),
	bytesPerSymbol: z.record(z.string(), z.number()),
	memoryNsPerByte: z.number(),
});

/** The transmit chain on one core, by processor time: whole PLFRAMEs, shaped samples, and each stage beside memory. */
export const run: Bench = async ({signal, progress, reference}) => {
	const grDtv = await measureGrDtv({signal, progress, install: reference === 'gnuradio'});
	progress(`the transmit chain; ${loadavg()[0]?.toFixed(1)} processes want the processor`);
	const [first] = await runNativeBench('modem_bench', [pls8psk34Pilots, seconds], {signal});
	const figures = figureSchema.parse(first);
	const share = symbolRateMsym / figures.integersMsymPerSecond;
	return [
		rateRow('frames', figures.frameMsymPerSecond, bars.frame, grDtv, grDtv?.frameMsymPerSecond),
		rateRow('samples', figures.shapedMsymPerSecond, bars.shaped, grDtv, grDtv?.shapedMsymPerSecond),
		{
			...{name: `modem.core at ${symbolRateMsym} Msym/s`, value: share * 100, unit: '% of one core'},
			...{reference: `${figures.kernels}, 16-bit samples`, bar: bars.coreShare * 100, pass: share < bars.coreShare},
		},
		...stageRows(figures),
	];
};

const rateRow = (
	what: string,
	value: number,
	bar: number,
	grDtv: GrDtvFigures | undefined,
	theirs: number | undefined,
): BenchRow => {
	const row = {name: `modem.${what} 8PSK 3/4`, value, unit: 'Msym/s'};
	if (grDtv === undefined || theirs === undefined) {
		return row;
	}
	const ratio = value / theirs;
	const reference = `gr-dtv ${grDtv.version}: ${theirs.toFixed(1)} Msym/s`;
	return {...row, reference, ratio, bar, pass: ratio >= bar};
};

/** How many times as long as a copy of the bytes that a stage reads and writes. */
const stageRows = ({nsPerSymbol, bytesPerSymbol, memoryNsPerByte}: z.infer<typeof figureSchema>): readonly BenchRow[] =>
	Object.entries(nsPerSymbol).map(([stage, value]) => ({
		...{name: `modem.stage ${stage}`, value, unit: 'ns/symbol'},
		reference: `${(value / ((bytesPerSymbol[stage] ?? 0) * memoryNsPerByte)).toFixed(1)} times a copy of its bytes`,
	}));
