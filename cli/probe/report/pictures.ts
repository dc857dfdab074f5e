import {formatRate, formatSpan} from '#cli/probe/report/format.ts';
import type {ProbeReport, SignalReport} from '#cli/probe/report/probe-report.ts';
import {chart, colourOf, escapeMarkup, type Frame, polyline, ticksOf} from '#cli/probe/report/svg.ts';

const frame: Frame = {width: 960, height: 300, left: 92, bottom: 28};
const timelineRowsMax = 60;
const rowHeight = 16;
const seriesMax = 7;

const timeTicks = (durationMs: number, {width, left}: Frame) =>
	ticksOf(durationMs, 8).map((ms) => ({
		x: left + ((width - left - 30) * ms) / Math.max(1, durationMs),
		label: formatSpan(ms),
	}));

const timeScale =
	({startMs, durationMs}: {readonly startMs: number; readonly durationMs: number}) =>
	(ms: number): number =>
		frame.left + ((frame.width - frame.left - 30) * (ms - startMs)) / Math.max(1, durationMs);

/** Rate over time: the whole and its largest sessions. */
export const ratePicture = ({rates, span}: ProbeReport): string | undefined => {
	if (span === undefined || rates.every(({bps}) => bps.length === 0)) {
		return undefined;
	}
	const sum = ({bps}: {readonly bps: readonly number[]}): number => bps.reduce((total, each) => total + each, 0);
	const shown = [...rates].sort((a, b) => sum(b) - sum(a)).slice(0, seriesMax);
	const max = Math.max(1, ...shown.flatMap(({bps}) => bps));
	const yOf = (bps: number): number => frame.height - frame.bottom - ((frame.height - frame.bottom - 12) * bps) / max;
	const xOf = timeScale(span);
	const lines = shown.map(({startMs, binMs, bps}, index) =>
		polyline(
			bps.map((each, bin) => [xOf(startMs + (bin + 0.5) * binMs), yOf(each)] as const),
			colourOf(index),
		),
	);
	const picture = chart({
		title: 'Rate over time',
		frame,
		xTicks: timeTicks(span.durationMs, frame),
		yTicks: ticksOf(max).map((bps) => ({y: yOf(bps), label: formatRate(bps)})),
		drawn: lines.join(''),
	});
	const legend = shown.map(
		({name}, index) => `<span><i style="background:${colourOf(index)}"></i>${escapeMarkup(name)}</span>`,
	);
	return `${picture}<p class="legend">${legend.join('')}</p>`;
};

/** When each object was on air; what is red lost symbols. */
export const timelinePicture = ({objects, span}: ProbeReport): string | undefined => {
	const rows = objects.filter(({passes}) => passes.length > 0).slice(0, timelineRowsMax);
	if (span === undefined || rows.length === 0) {
		return undefined;
	}
	const xOf = timeScale(span);
	const height = rows.length * rowHeight + frame.bottom + 8;
	const drawn = rows.map(({passes, toi, tsi, uri}, row) => {
		const y = 4 + row * rowHeight;
		const bars = passes.map(({startMs, endMs, lost}) => {
			const width = Math.max(1.5, xOf(endMs) - xOf(startMs));
			return `<rect x="${xOf(startMs).toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${rowHeight - 5}" rx="2" fill="${lost > 0 ? '#ff8f8f' : colourOf(tsi)}"><title>${escapeMarkup(`${uri ?? toi}: ${lost} symbols lost`)}</title></rect>`;
		});
		const name = (uri ?? `TOI ${toi}`).split('/').at(-1)?.slice(-13) ?? '';
		return `<text x="${frame.left - 6}" y="${y + 9}" class="tick" text-anchor="end">${escapeMarkup(name)}</text>${bars.join('')}`;
	});
	return chart({
		title: 'When each object was on air',
		frame: {...frame, height},
		xTicks: timeTicks(span.durationMs, frame),
		yTicks: [],
		drawn: drawn.join(''),
	});
};

const square: Frame = {width: 420, height: 420, left: 0, bottom: 0};

export const constellationPicture = ({constellation}: SignalReport): string => {
	const points = Array.from({length: Math.floor(constellation.length / 2)}, (_, index) => {
		const [i = 0, q = 0] = constellation.slice(index * 2, index * 2 + 2);
		return [i, q] as const;
	});
	const reach = Math.max(0.5, ...points.map(([i, q]) => Math.max(Math.abs(i), Math.abs(q)))) * 1.1;
	const at = (value: number): string => (210 + (value / reach) * 205).toFixed(1);
	const dots = points.map(([i, q]) => `<circle cx="${at(i)}" cy="${at(-q)}" r="1.3"/>`);
	const cross = '<path d="M210,0V420M0,210H420" class="grid"/>';
	const drawn = `${cross}<g fill="${colourOf(0)}" fill-opacity="0.6">${dots.join('')}</g>`;
	return chart({title: 'Constellation', frame: square, xTicks: [], yTicks: [], drawn});
};

export const spectrumPicture = ({spectrumDb, sampleRate}: SignalReport): string => {
	const top = Math.ceil(Math.max(...spectrumDb) / 10) * 10;
	const bottom = Math.max(top - 80, Math.floor(Math.min(...spectrumDb) / 10) * 10);
	const reach = Math.max(10, top - bottom);
	const yOf = (db: number): number => 12 + ((frame.height - frame.bottom - 12) * (top - Math.max(bottom, db))) / reach;
	const xOf = (share: number): number => frame.left + (frame.width - frame.left - 30) * share;
	const levels = Array.from({length: Math.floor(reach / 10) + 1}, (_, index) => top - index * 10);
	const shares = [0, 0.25, 0.5, 0.75, 1];
	return chart({
		title: 'Spectrum',
		frame,
		xTicks: shares.map((share) => ({x: xOf(share), label: `${(((share - 0.5) * sampleRate) / 1e6).toFixed(2)} MHz`})),
		yTicks: levels.map((db) => ({y: yOf(db), label: `${db} dB`})),
		drawn: polyline(
			spectrumDb.map((db, index) => [xOf(index / Math.max(1, spectrumDb.length - 1)), yOf(db)] as const),
			colourOf(0),
		),
	});
};
