import {z} from 'zod';
import type {TelemetryAnswer} from '#ota/contract/box-api.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

/** Samples read for one chart; a longer time is read in portions of whole intervals by the same bound. */
const rowsMax = 200_000;
const metricsSchema = z.record(z.string(), z.number());

/**
 * At most `points` points. Of each of half as many equal intervals a metric's lowest and highest value are kept, in the
 * order in which they came, so that a spike of a second is seen in a chart of a month.
 */
export const queryTelemetry = async (
	database: FleetDatabase,
	query: {
		readonly box: string;
		readonly metrics: readonly string[] | undefined;
		readonly fromMs: number;
		readonly toMs: number;
		readonly points: number;
	},
): Promise<TelemetryAnswer> => {
	const {box, fromMs, toMs, points} = query;
	const rows = await database
		.selectFrom('telemetry')
		.select(['at_ms', 'metrics'])
		.where('box', '=', box)
		.where('at_ms', '>=', fromMs)
		.where('at_ms', '<', toMs)
		.orderBy('at_ms')
		.limit(rowsMax)
		.execute();
	const wanted = query.metrics === undefined ? undefined : new Set(query.metrics);
	return downsample(
		rows.map((row) => ({atMs: row.at_ms, values: metricsSchema.parse(JSON.parse(row.metrics))})),
		{fromMs, toMs, points, wanted},
	);
};

/** The lowest and the highest sample of an interval. */
type Cell = {readonly min: Sample; readonly max: Sample};
type Sample = {readonly atMs: number; readonly value: number};

/** Pure. Samples as they are when they are fewer than the points. */
export const downsample = (
	samples: readonly {readonly atMs: number; readonly values: Readonly<Record<string, number>>}[],
	options: {
		readonly fromMs: number;
		readonly toMs: number;
		readonly points: number;
		readonly wanted?: {readonly has: (name: string) => boolean} | undefined;
	},
): TelemetryAnswer => {
	const {fromMs, toMs, points, wanted = everything} = options;
	const isRaw = samples.length <= points;
	const intervalMs = isRaw ? 1 : Math.max(1, Math.ceil((toMs - fromMs) / Math.floor(points / 2)));
	const intervalOf = (atMs: number): number => Math.floor((atMs - fromMs) / intervalMs);
	const intervals = [...new Set(samples.map(({atMs}) => intervalOf(atMs)))];
	const indexOf = new Map(intervals.map((interval, index) => [interval, index]));
	const lines = new Map<string, (Cell | undefined)[]>();
	for (const {atMs, values} of samples) {
		const index = indexOf.get(intervalOf(atMs)) ?? 0;
		for (const [name, value] of Object.entries(values)) {
			if (wanted.has(name)) {
				const line = lines.get(name) ?? Array.from<Cell | undefined>({length: intervals.length});
				lines.set(name, line);
				line[index] = widen(line[index], {atMs, value});
			}
		}
	}
	const metrics = Object.fromEntries(
		[...lines].map(([name, line]) => [
			name,
			line.flatMap((cell) => (isRaw ? [cell?.min.value ?? null] : bothOf(cell))),
		]),
	);
	return {
		atMs: intervals.flatMap((interval) => {
			const startMs = fromMs + interval * intervalMs;
			return isRaw ? [startMs] : [startMs, startMs + Math.floor(intervalMs / 2)];
		}),
		metrics,
	};
};

const everything = {has: () => true};

const widen = (cell: Cell | undefined, sample: Sample): Cell =>
	cell === undefined
		? {min: sample, max: sample}
		: {
				min: sample.value < cell.min.value ? sample : cell.min,
				max: sample.value > cell.max.value ? sample : cell.max,
			};

const bothOf = (cell: Cell | undefined): readonly (number | null)[] => {
	if (cell === undefined) {
		return [null, null];
	}
	const {min, max} = cell;
	return min.atMs <= max.atMs ? [min.value, max.value] : [max.value, min.value];
};
