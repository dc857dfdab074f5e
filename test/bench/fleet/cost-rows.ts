import type {BenchRow} from '#test/bench/bench-row.ts';
import type {ProcessCost} from '#test/bench/fleet/process-cost.ts';

export type Costs = {readonly server: ProcessCost; readonly broker: ProcessCost};

const bytesPerBoxMax = 8192;
const mebibyte = 1_048_576;

/**
 * What a box costs. The bar is for all that the server's memory grew since it was idle, divided by the boxes; the two
 * rows below tell what of it another box would cost again, and what is there for any number of them.
 */
export const costRows = (facts: {
	readonly half: number;
	readonly count: number;
	readonly idle: Costs;
	readonly halfThere: Costs;
	readonly steadyFrom: Costs;
	readonly steadyTo: Costs;
	readonly steadyMs: number;
}): readonly BenchRow[] => {
	const {half, count, idle, halfThere, steadyFrom, steadyTo, steadyMs} = facts;
	const grownBytes = steadyTo.server.rssBytes - idle.server.rssBytes;
	const bytes = grownBytes / count;
	const slope = (steadyTo.server.rssBytes - halfThere.server.rssBytes) / (count - half);
	const share = (which: keyof Costs): number =>
		((steadyTo[which].cpuSeconds - steadyFrom[which].cpuSeconds) / (steadyMs / 1000)) * 100;
	return [
		{name: 'memory of the server, idle', value: idle.server.rssBytes / mebibyte, unit: 'MiB'},
		{
			name: 'memory of the server per box, all that grew',
			value: bytes,
			unit: 'B',
			bar: bytesPerBoxMax,
			pass: bytes < bytesPerBoxMax,
		},
		{name: 'of it, per box of the second half', value: slope, unit: 'B'},
		{name: 'of it, for any number of boxes by that', value: (grownBytes - slope * count) / mebibyte, unit: 'MiB'},
		{
			name: 'memory of the broker per box',
			value: (steadyTo.broker.rssBytes - idle.broker.rssBytes) / count,
			unit: 'B',
		},
		{name: 'processor of the server while steady', value: share('server'), unit: '% of a core'},
		{name: 'processor of the broker while steady', value: share('broker'), unit: '% of a core'},
		{name: 'boxes per core of the server, by that', value: count / (share('server') / 100), unit: 'boxes'},
	];
};
