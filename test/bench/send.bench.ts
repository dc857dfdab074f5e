import {z} from 'zod';
import type {Bench, BenchOptions, BenchRow} from './bench-row.ts';
import {runNativeBench} from './run-native-bench.ts';

const rateBps = 61_300_000;
const spanSeconds = 10;
const errorRatioMax = 0.001;
const attemptsMax = 3;

const throughputSchema = z.object({name: z.string(), gbps: z.number(), bareGbps: z.number(), ratio: z.number()});

const pacingSchema = z.object({
	receivedErrorRatio: z.number(),
	sentErrorRatio: z.number(),
	excessBytes: z.number(),
	lostPackets: z.number(),
});
type Pacing = z.infer<typeof pacingSchema>;

/**
 * The best of a few spans: in a virtual machine that stands still for longer than the bucket holds, a span measures the
 * machine. A pacer that is wrong is wrong in every span.
 */
const measurePacing = async ({signal, progress}: BenchOptions): Promise<Pacing> => {
	const spans: Pacing[] = [];
	while (spans.length < attemptsMax) {
		progress(`pacing at ${rateBps / 1e6} Mbit/s for ${spanSeconds} s, as a receiver sees it`);
		const args = [String(rateBps), String(spanSeconds)];
		const [span] = pacingSchema.array().parse(await runNativeBench('send_bench', args, {signal}));
		if (span !== undefined) {
			spans.push(span);
			if (Math.abs(span.receivedErrorRatio) < errorRatioMax) {
				break;
			}
		}
	}
	const error = (span: Pacing): number => Math.abs(span.receivedErrorRatio);
	return spans.reduce((best, span) => (error(span) < error(best) ? span : best));
};

/** The FLUTE sender from a file on tmpfs against a loop that only hands ready packets to the kernel. */
export const run: Bench = async (options) => {
	options.progress('the sender without a rate against bare sendmmsg with UDP_SEGMENT');
	const figures = throughputSchema.array().parse(await runNativeBench('send_bench', ['throughput'], options));
	const rows: BenchRow[] = figures.map(({name, gbps, bareGbps, ratio}) => ({
		...{name: `send.${name}`, value: gbps, unit: 'Gbit/s', ratio},
		reference: `sendmmsg with UDP_SEGMENT of ready packets: ${bareGbps.toFixed(1)} Gbit/s`,
	}));
	const pacing = await measurePacing(options);
	const errorRatio = Math.abs(pacing.receivedErrorRatio);
	return [
		...rows,
		{
			...{name: 'send.pacing-error', value: errorRatio, unit: 'ratio', bar: errorRatioMax},
			reference: `least of ${attemptsMax} spans of ${spanSeconds} s at ${rateBps} bit/s; the bar is the most that passes`,
			pass: errorRatio < errorRatioMax,
		},
		{
			...{name: 'send.pacing-excess', value: pacing.excessBytes, unit: 'bytes'},
			reference: 'most above a steady flow at the receiver, its own late wake-ups included; the bucket holds 65536',
		},
	];
};
