import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import type {Alert, AlertMute} from '#ota/contract/alert-api.ts';
import {Age} from '../component/age.tsx';
import {Badge, SeverityBadge} from '../component/badge.tsx';
import {Button} from '../component/button.tsx';
import {Link} from '../component/link.tsx';
import {ListPanel} from '../component/list-panel.tsx';
import {PageHead} from '../component/panel.tsx';
import {Segments} from '../component/segments.tsx';
import {formatDateTime, withOwnTimes} from '../format/format-time.ts';
import {request} from '../state/request.ts';
import {boxesPath, boxPath, search, setSearch} from '../state/router.ts';
import {may} from '../state/session.ts';
import {attempt} from '../state/toast.ts';
import {usePages} from '../state/use-pages.ts';
import {AlertChannels} from './alert-channels.tsx';
import {AcknowledgeDialog, MuteDialog} from './alert-dialogs.tsx';
import {AlertRules} from './alert-rules.tsx';

const states = [
	['raised', 'Raised'],
	['cleared', 'Cleared'],
	['all', 'All'],
] as const;
type State = (typeof states)[number][0];

export const AlertsPage = ({tab}: {readonly tab: string | undefined}): JSX.Element => {
	const isMuting = useSignal(false);
	const close = (): void => {
		isMuting.value = false;
	};
	return (
		<>
			<PageHead
				title="Alerts"
				actions={
					may('operator') && (
						<Button
							onPress={() => {
								isMuting.value = true;
							}}
						>
							Mute …
						</Button>
					)
				}
			/>
			<nav class="tabs" aria-label="Alerts">
				<Link to="/alerts" current={tab === undefined}>
					Alerts
				</Link>
				<Link to="/alerts/mutes" current={tab === 'mutes'}>
					Mutes
				</Link>
				<Link to="/alerts/rules" current={tab === 'rules'}>
					Rules
				</Link>
				{may('admin') && (
					<Link to="/alerts/channels" current={tab === 'channels'}>
						Channels
					</Link>
				)}
			</nav>
			<Tab tab={tab} key={String(isMuting.value)} />
			{isMuting.value && <MuteDialog onClose={close} />}
		</>
	);
};

const Tab = ({tab}: {readonly tab: string | undefined}): JSX.Element => {
	switch (tab) {
		case 'mutes':
			return <Mutes />;
		case 'rules':
			return <AlertRules />;
		case 'channels':
			return <AlertChannels />;
		default:
			return <Alerts />;
	}
};

const Alerts = (): JSX.Element => {
	const state = (search.value.get('state') ?? 'raised') as State;
	const alerts = usePages<Alert>('/alerts', {query: {state}, live: ['alerts'], refreshMsMin: 1000});
	const open = useSignal<Alert | undefined>(undefined);
	return (
		<>
			<div class="log-tools">
				<Segments label="State" value={state} choices={states} onChange={(next) => setSearch({state: next})} />
			</div>
			<ListPanel
				label="Alerts"
				pages={alerts}
				heads={['Severity', 'Alert', 'About', 'Since', 'Taken up']}
				icon="check"
				empty="No alert"
				renderRow={(alert) => (
					<tr key={alert.id}>
						<td>
							<SeverityBadge severity={alert.severity} />
						</td>
						<td class="wide">
							{withOwnTimes(alert.message)}{' '}
							<span class="faint small">
								{alert.rule}
								{alert.count > 1 && ` · raised ${alert.count} times`}
							</span>{' '}
							{alert.muted && <span class="tag">muted</span>}
						</td>
						<td class="nowrap">
							{alert.box !== null && <Link to={boxPath(alert.box)}>{alert.box}</Link>}
							{alert.box === null && alert.site !== null && (
								<Link to={boxesPath(`site=${alert.site}`)}>{alert.site}</Link>
							)}
						</td>
						<td>
							<Age atMs={alert.raisedMs} />
						</td>
						<td class="nowrap">
							{alert.acknowledged !== null ? (
								<span title={alert.acknowledged.note}>{alert.acknowledged.by}</span>
							) : alert.state === 'raised' && may('operator') ? (
								<Button
									onPress={() => {
										open.value = alert;
									}}
								>
									Acknowledge
								</Button>
							) : (
								<Badge>{alert.state}</Badge>
							)}
						</td>
					</tr>
				)}
			/>
			{open.value !== undefined && (
				<AcknowledgeDialog
					alert={open.value}
					onDone={alerts.reload}
					onClose={() => {
						open.value = undefined;
					}}
				/>
			)}
		</>
	);
};

const Mutes = (): JSX.Element => {
	const mutes = usePages<AlertMute>('/alert-mutes', {live: ['alerts']});
	return (
		<ListPanel
			label="Mutes"
			pages={mutes}
			heads={['Rule', 'Boxes', 'Until', 'Why', '']}
			icon="alert"
			empty="Nothing is muted"
			renderRow={(mute) => (
				<tr key={mute.id}>
					<td>{mute.rule ?? 'every rule'}</td>
					<td class="mono">{mute.filter || 'every box'}</td>
					<td class="nowrap">{formatDateTime(mute.untilMs)}</td>
					<td class="wide">
						{mute.reason} <span class="faint">by {mute.by}</span>
					</td>
					<td>
						{may('operator') && (
							<Button
								onPress={async () => {
									await attempt(() => request('DELETE', `/alert-mutes/${mute.id}`), 'The mute has ended');
									mutes.reload();
								}}
							>
								End it
							</Button>
						)}
					</td>
				</tr>
			)}
		/>
	);
};
