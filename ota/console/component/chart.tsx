import type {JSX} from 'preact';
import {useEffect, useRef} from 'preact/hooks';
import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import {formatMetric} from '../format/format-number.ts';
import {formatTick} from '../format/format-time.ts';

export type ChartProps = {
	readonly name: string;
	readonly atMs: readonly number[];
	readonly values: readonly (number | null)[];
	readonly fromMs: number;
	readonly toMs: number;
	/** The charts of one page point at the same moment together. */
	readonly syncKey: string;
	/** A range that was drawn with the mouse. */
	readonly onRange: (fromMs: number, toMs: number) => void;
};

const axis = {stroke: '#8f9cb2', grid: {stroke: '#1b2536', width: 1}, ticks: {show: false}, font: '12px system-ui'};

const optionsOf = (props: ChartProps, width: number, height: number): UPlot.Options => ({
	width,
	height,
	ms: 1,
	padding: [8, 4, 0, 0],
	cursor: {sync: {key: props.syncKey}, drag: {x: true, y: false, setScale: false}},
	scales: {x: {time: true, range: () => [props.fromMs, props.toMs]}},
	axes: [
		{...axis, size: 32, space: 80, values: (_, ticks) => ticks.map(formatTick)},
		{
			...axis,
			size: 74,
			space: 34,
			values: (_, ticks) => ticks.map((tick) => formatMetric(props.name, tick)),
		},
	],
	series: [{}, {stroke: '#7cc7ff', width: 1.6, fill: 'rgb(124 199 255 / 0.1)', points: {show: false}}],
	hooks: {
		setSelect: [
			(plot) => {
				if (plot.select.width > 4) {
					props.onRange(plot.posToVal(plot.select.left, 'x'), plot.posToVal(plot.select.left + plot.select.width, 'x'));
				}
			},
		],
	},
});

/** One metric over time. Drawing over it with the mouse asks for that range. */
export const Chart = (props: ChartProps): JSX.Element => {
	const element = useRef<HTMLDivElement>(null);
	const plot = useRef<UPlot | undefined>(undefined);
	const latest = useRef(props);
	latest.current = props;
	const data = (): UPlot.AlignedData => [latest.current.atMs, latest.current.values] as unknown as UPlot.AlignedData;

	useEffect(() => {
		const parent = element.current;
		if (parent === null) {
			return;
		}
		const onRange: ChartProps['onRange'] = (from, to) => latest.current.onRange(from, to);
		const made = new UPlot(
			optionsOf({...latest.current, onRange}, parent.clientWidth, parent.clientHeight),
			data(),
			parent,
		);
		plot.current = made;
		const observer = new ResizeObserver(() => made.setSize({width: parent.clientWidth, height: parent.clientHeight}));
		observer.observe(parent);
		return () => {
			observer.disconnect();
			made.destroy();
		};
	}, [props.fromMs, props.toMs]);
	useEffect(() => {
		plot.current?.setData(data());
	}, [props.atMs]);
	return <div ref={element} class="chart" role="img" aria-label={`${props.name} over time`} />;
};
