import type {JSX} from 'preact';
import type {Rollout, RolloutGroup} from '#ota/contract/rollout-api.ts';
import {Badge, RolloutBadge} from '../component/badge.tsx';
import {Bar} from '../component/bar.tsx';
import {Failed} from '../component/empty.tsx';
import {Link} from '../component/link.tsx';
import {PageHead, Panel} from '../component/panel.tsx';
import {formatBytes, formatCount, plural} from '../format/format-number.ts';
import {formatDuration} from '../format/format-time.ts';
import {boxesPath} from '../state/router.ts';
import {useResource} from '../state/use-resource.ts';
import {partsOfCounts} from './parts-of-counts.ts';
import {RolloutActions} from './rollout-actions.tsx';
import {RolloutFailures} from './rollout-failures.tsx';
import './rollout.css';

export const RolloutPage = ({id}: {readonly id: string}): JSX.Element => {
	const rollout = useResource<Rollout>(`/rollouts/${id}`, {live: ['rollouts'], id, everyMs: 30_000});
	const data = rollout.data.value;
	return (
		<>
			<PageHead
				title={data?.spec.name ?? 'Rollout'}
				actions={data && <RolloutActions rollout={data} onDone={rollout.reload} />}
			>
				{data !== undefined && (
					<>
						<RolloutBadge state={data.state} />
						<span class="soft">
							{data.spec.kind} →{' '}
							<Link to={`/releases/${data.spec.release}`} class="mono">
								{data.spec.release}
							</Link>
						</span>
					</>
				)}
			</PageHead>
			{rollout.error.value !== undefined && <Failed error={rollout.error.value} onRetry={rollout.reload} />}
			{data !== undefined && <RolloutBody rollout={data} />}
		</>
	);
};

const RolloutBody = ({rollout}: {readonly rollout: Rollout}): JSX.Element => (
	<>
		{rollout.reason !== null && (
			<div class="notice" data-tone={rollout.state === 'aborted' ? 'bad' : 'warn'} role="status">
				<strong>{rollout.state === 'paused' ? 'Paused' : 'Stopped'}:</strong> {rollout.reason.message}{' '}
				<span class="faint mono">{rollout.reason.code}</span>
			</div>
		)}
		<div class="grid">
			<Panel title={plural(rollout.boxes, 'box', 'boxes')} class="span-8">
				<Bar label="All boxes" parts={partsOfCounts(rollout.counts)} />
			</Panel>
			<Panel title="Fetched" class="span-4">
				<Bar
					label="Bytes"
					legend={false}
					parts={[
						{label: 'satellite', count: rollout.bytes.carousel, tone: 'good'},
						{label: 'already there', count: rollout.bytes.local, tone: 'violet'},
						{label: 'unicast', count: rollout.bytes.unicast, tone: 'accent'},
					]}
				/>
				<p class="legend">
					<span>Satellite {formatBytes(rollout.bytes.carousel)}</span>
					<span>already there {formatBytes(rollout.bytes.local)}</span>
					<span>unicast {formatBytes(rollout.bytes.unicast)}</span>
				</p>
			</Panel>
			<ol class="groups span-12">
				{rollout.groups.map((group) => (
					<Group key={group.ordinal} group={group} />
				))}
			</ol>
			<RolloutFailures rollout={rollout} />
			<Panel title="As it was ordered" class="span-5">
				<Spec rollout={rollout} />
			</Panel>
		</div>
	</>
);

const groupTones = {waiting: 'none', running: 'accent', done: 'good'} as const;

const Group = ({group}: {readonly group: RolloutGroup}): JSX.Element => {
	const {spec, counts, phases} = group;
	const share = group.boxes === 0 ? 0 : ((counts.done ?? 0) / group.boxes) * 100;
	const errorLimit = [
		spec.errorCount === null ? undefined : plural(spec.errorCount, 'failure'),
		spec.errorPercent === null ? undefined : `${spec.errorPercent} %`,
	].filter((part) => part !== undefined);
	return (
		<li class="panel group" data-state={group.state} aria-label={`Group ${spec.name}: ${group.state}`}>
			<div class="group-head">
				<strong>{spec.name}</strong>
				<Badge tone={groupTones[group.state]}>{group.state}</Badge>
				<span class="soft">{formatCount(group.boxes)}</span>
			</div>
			<div class="group-goal">
				<Bar label={spec.name} parts={partsOfCounts(counts)} />
				<i style={{left: `${spec.successPercent}%`}} title={`Goes on at ${spec.successPercent} %`} />
			</div>
			<p class="soft small">
				{share.toFixed(0)} % of {spec.successPercent} % needed · {spec.errorAction}s at{' '}
				{errorLimit.length === 0 ? 'no limit' : errorLimit.join(' or ')}
				{spec.soakMs > 0 && ` · soaks ${formatDuration(spec.soakMs)}`}
			</p>
			<p class="tags group-phases">
				{Object.entries(phases).map(([phase, count]) => (
					<span key={phase} class="tag">
						{phase} {formatCount(count ?? 0)}
					</span>
				))}
			</p>
		</li>
	);
};

const Spec = ({rollout}: {readonly rollout: Rollout}): JSX.Element => {
	const {spec, approval} = rollout;
	const facts = [
		['Boxes', spec.filter === '' ? `every ${spec.kind}` : spec.filter],
		['In flight', `at most ${formatCount(spec.inFlightMax)}`],
		['Unicast per box', spec.byteBudgetBytes === null ? 'one and a half bundles' : formatBytes(spec.byteBudgetBytes)],
		['Orders per box', String(spec.retry.attemptsMax)],
		[
			'Install, reboot, confirm',
			[spec.deadlines.installMs, spec.deadlines.rebootMs, spec.deadlines.confirmMs].map(formatDuration).join(', '),
		],
		['Late joiners', spec.lateJoiners.kind],
		['Made by', rollout.createdBy],
		['Approval', approval === null ? 'none yet' : `${approval.by} ${approval.note}`],
	] as const;
	return (
		<>
			<dl class="facts">
				{facts.map(([name, value]) => (
					<>
						<dt>{name}</dt>
						<dd>{value}</dd>
					</>
				))}
			</dl>
			<p class="panel-foot">
				<Link to={boxesPath(`kind=${spec.kind} ${spec.filter === '' ? '' : `(${spec.filter})`}`.trim())}>
					The boxes
				</Link>
			</p>
		</>
	);
};
