import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import type {TelemetryAnswer} from '#ota/contract/box-api.ts';
import {Button} from '../component/button.tsx';
import {Chart} from '../component/chart.tsx';
import {Empty, Failed} from '../component/empty.tsx';
import {Segments} from '../component/segments.tsx';
import {formatMetric, metricTitle} from '../format/format-number.ts';
import {formatDateTime} from '../format/format-time.ts';
import {nowMs} from '../state/clock.ts';
import {useResource} from '../state/use-resource.ts';

const ranges = {'1h': 3_600_000, '6h': 21_600_000, '24h': 86_400_000, '7d': 604_800_000} as const;
type Range = keyof typeof ranges;
const choices = [
	['1h', '1 h'],
	['6h', '6 h'],
	['24h', '24 h'],
	['7d', '7 d'],
] as const;
/** The moving end of a range is kept to this, so that the same question is not asked ever anew. */
const gridMs = 60_000;

export const BoxTelemetry = ({id}: {readonly id: string}): JSX.Element => {
	const range = useSignal<Range>('6h');
	const zoom = useSignal<readonly [number, number] | undefined>(undefined);
	const endMs = Math.ceil(nowMs.value / gridMs) * gridMs;
	const [fromMs, toMs] = zoom.value ?? [endMs - ranges[range.value], endMs];
	const telemetry = useResource<TelemetryAnswer>(`/boxes/${encodeURIComponent(id)}/telemetry`, {
		query: {fromMs: Math.round(fromMs), toMs: Math.round(toMs), points: 400},
	});
	const data = telemetry.data.value;
	const metrics = Object.entries(data?.metrics ?? {}).toSorted(([one], [other]) => one.localeCompare(other));
	return (
		<>
			<div class="log-tools">
				<Segments
					label="Time range"
					value={zoom.value === undefined ? range.value : ('' as Range)}
					choices={choices}
					onChange={(next) => {
						range.value = next;
						zoom.value = undefined;
					}}
				/>
				{zoom.value !== undefined && (
					<>
						<span class="soft">
							{formatDateTime(fromMs)} – {formatDateTime(toMs)}
						</span>
						<Button
							onPress={() => {
								zoom.value = undefined;
							}}
						>
							Back to the last {range.value}
						</Button>
					</>
				)}
			</div>
			{telemetry.error.value !== undefined && <Failed error={telemetry.error.value} onRetry={telemetry.reload} />}
			{data !== undefined && metrics.length === 0 && (
				<Empty icon="overview" title="Nothing was measured in this time" />
			)}
			<div class="charts">
				{metrics.map(([name, values]) => (
					<section key={name} class="panel">
						<div class="chart-head">
							<h3>{metricTitle(name)}</h3>
							<Last name={name} values={values} />
						</div>
						<Chart
							name={name}
							atMs={data?.atMs ?? []}
							values={values}
							fromMs={fromMs}
							toMs={toMs}
							syncKey={id}
							onRange={(from, to) => {
								zoom.value = [from, to];
							}}
						/>
					</section>
				))}
			</div>
		</>
	);
};

const Last = ({name, values}: {readonly name: string; readonly values: readonly (number | null)[]}): JSX.Element => {
	const last = values.findLast((value) => value !== null);
	return <strong>{last === undefined || last === null ? '–' : formatMetric(name, last)}</strong>;
};
