import type {JSX} from 'preact';
import type {RolloutSummary} from '#ota/contract/rollout-api.ts';
import {RolloutBadge} from '../component/badge.tsx';
import {Bar} from '../component/bar.tsx';
import {Empty} from '../component/empty.tsx';
import {Link} from '../component/link.tsx';
import {Panel} from '../component/panel.tsx';
import {partsOfCounts} from '../rollout/parts-of-counts.ts';
import {useResource} from '../state/use-resource.ts';

const asked = 50;
const activeStates: readonly string[] = ['waiting-approval', 'approved', 'scheduled', 'running', 'paused'];

export const ActiveRollouts = (): JSX.Element => {
	const rollouts = useResource<{items: readonly RolloutSummary[]}>('/rollouts', {
		query: {limit: asked},
		live: ['rollouts'],
	});
	const active = rollouts.data.value?.items.filter(({state}) => activeStates.includes(state));
	return (
		<Panel title="Active rollouts" class="span-12" actions={<Link to="/rollouts">All rollouts</Link>}>
			{active?.length === 0 && <Empty icon="rollout" title="No rollout is under way" />}
			{active?.map((rollout) => (
				<div key={rollout.id} class="rollout-line">
					<span>
						<Link to={`/rollouts/${rollout.id}`}>{rollout.name}</Link>
						<br />
						<span class="faint small">
							{rollout.kind} → <span class="mono">{rollout.release}</span>, {rollout.groupsDone} of {rollout.groups}{' '}
							groups done
						</span>
					</span>
					<Bar label={rollout.name} parts={partsOfCounts(rollout.counts)} />
					<RolloutBadge state={rollout.state} />
				</div>
			))}
		</Panel>
	);
};
