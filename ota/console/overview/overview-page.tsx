import type {JSX} from 'preact';
import type {Overview} from '#ota/contract/box-api.ts';
import {Failed} from '../component/empty.tsx';
import {Link} from '../component/link.tsx';
import {PageHead, Panel} from '../component/panel.tsx';
import {formatCount, formatPercent} from '../format/format-number.ts';
import {boxesPath} from '../state/router.ts';
import {useResource} from '../state/use-resource.ts';
import {ActiveRollouts} from './active-rollouts.tsx';
import {KindPanel} from './kind-panel.tsx';
import {NewestAlerts} from './newest-alerts.tsx';
import {WorldMap} from './world-map.tsx';
import './overview.css';

const refreshMs = 30_000;
const kinds = ['headend', 'pop-node', 'stb'] as const;

export const OverviewPage = (): JSX.Element => {
	const overview = useResource<Overview>('/overview', {live: ['boxes', 'alerts', 'rollouts'], everyMs: refreshMs});
	const data = overview.data.value;
	return (
		<>
			<PageHead title="Overview" />
			{overview.error.value !== undefined && <Failed error={overview.error.value} onRetry={overview.reload} />}
			<div class="grid overview">
				<BigNumbers data={data} />
				<Panel title="Sites" class="span-8 overview-map" actions={<MapLegend />}>
					<WorldMap sites={data?.sites ?? []} />
				</Panel>
				<NewestAlerts />
				{kinds.map((kind) => (
					<KindPanel key={kind} kind={kind} data={data?.byKind[kind]} />
				))}
				<ActiveRollouts />
			</div>
		</>
	);
};

const BigNumbers = ({data}: {readonly data: Overview | undefined}): JSX.Element => {
	const share = data === undefined || data.boxes === 0 ? undefined : data.online / data.boxes;
	return (
		<ul class="big-numbers span-12">
			<BigNumber name="Boxes" value={data?.boxes} to="/boxes" note={data && `at ${data.sites.length} sites`} />
			<BigNumber
				name="Online"
				value={data?.online}
				to={boxesPath('presence=online')}
				note={share === undefined ? undefined : formatPercent(share)}
				tone={share !== undefined && share < 0.95 ? 'warn' : 'good'}
			/>
			<BigNumber
				name="Critical boxes"
				value={data?.byHealth.critical ?? (data && 0)}
				to={boxesPath('health=critical')}
				note={data && `${formatCount(data.byHealth.warning ?? 0)} with a warning`}
				tone={(data?.byHealth.critical ?? 0) > 0 ? 'bad' : 'good'}
			/>
			<BigNumber
				name="Updating"
				value={data?.updating}
				to={boxesPath('update in (accepted, fetching, verified, installing, rebooting, confirming)')}
				note="right now"
			/>
			<BigNumber
				name="Open alerts"
				value={data && data.alerts.critical + data.alerts.warning}
				to="/alerts"
				note={data && `${formatCount(data.alerts.critical)} critical`}
				tone={(data?.alerts.critical ?? 0) > 0 ? 'bad' : 'good'}
			/>
		</ul>
	);
};

const BigNumber = (props: {
	readonly name: string;
	readonly value: number | undefined;
	readonly to: string;
	readonly note?: string | undefined;
	readonly tone?: 'good' | 'warn' | 'bad';
}): JSX.Element => (
	<li>
		<Link to={props.to} class="big-number">
			<span class="soft">{props.name}</span>
			<strong data-tone={props.value === undefined ? 'none' : props.tone}>
				{props.value === undefined ? '–' : formatCount(props.value)}
			</strong>
			<span class="faint">{props.note ?? '\u00a0'}</span>
		</Link>
	</li>
);

const MapLegend = (): JSX.Element => (
	<span class="legend overview-legend">
		<span class="key" data-tone="good">
			all well
		</span>
		<span class="key" data-tone="warn">
			some warn or are away
		</span>
		<span class="key" data-tone="bad">
			some critical
		</span>
	</span>
);
