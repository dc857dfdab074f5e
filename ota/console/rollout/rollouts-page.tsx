import type {JSX} from 'preact';
import type {RolloutSummary} from '#ota/contract/rollout-api.ts';
import {Age} from '../component/age.tsx';
import {RolloutBadge} from '../component/badge.tsx';
import {Bar} from '../component/bar.tsx';
import {Link} from '../component/link.tsx';
import {ListPanel} from '../component/list-panel.tsx';
import {PageHead} from '../component/panel.tsx';
import {may} from '../state/session.ts';
import {usePages} from '../state/use-pages.ts';
import {partsOfCounts} from './parts-of-counts.ts';

export const RolloutsPage = (): JSX.Element => {
	const rollouts = usePages<RolloutSummary>('/rollouts', {live: ['rollouts']});
	return (
		<>
			<PageHead
				title="Rollouts"
				actions={
					may('operator') && (
						<Link to="/rollouts/new" class="button">
							New rollout
						</Link>
					)
				}
			/>
			<ListPanel
				label="Rollouts"
				pages={rollouts}
				heads={['Rollout', 'State', 'Progress', 'Groups', 'Made']}
				icon="rollout"
				empty="No rollout was made yet"
				renderRow={(rollout) => (
					<tr key={rollout.id}>
						<td>
							<Link to={`/rollouts/${rollout.id}`}>{rollout.name}</Link>
							<br />
							<span class="faint small">
								{rollout.kind} → <span class="mono">{rollout.release}</span>
							</span>
						</td>
						<td>
							<RolloutBadge state={rollout.state} />
						</td>
						<td class="wide">
							<Bar label={rollout.name} parts={partsOfCounts(rollout.counts)} />
							{rollout.reason !== null && <span class="soft small">{rollout.reason.message}</span>}
						</td>
						<td class="nowrap">
							{rollout.groupsDone} of {rollout.groups}
						</td>
						<td>
							<Age atMs={rollout.createdMs} /> <span class="faint">by {rollout.createdBy}</span>
						</td>
					</tr>
				)}
			/>
		</>
	);
};
