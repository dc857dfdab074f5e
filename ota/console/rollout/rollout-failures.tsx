import type {JSX} from 'preact';
import type {Rollout, RolloutBox} from '#ota/contract/rollout-api.ts';
import {PhaseBadge} from '../component/badge.tsx';
import {Empty} from '../component/empty.tsx';
import {Link} from '../component/link.tsx';
import {Panel} from '../component/panel.tsx';
import {plural} from '../format/format-number.ts';
import {boxPath} from '../state/router.ts';
import {useResource} from '../state/use-resource.ts';

const asked = 500;
const shownPerReason = 8;

/** Why boxes failed, the most frequent reason first. */
export const RolloutFailures = ({rollout}: {readonly rollout: Rollout}): JSX.Element => {
	const failed = useResource<{items: readonly RolloutBox[]; nextCursor?: string}>(`/rollouts/${rollout.id}/boxes`, {
		query: {state: 'failed', limit: asked},
		live: ['rollouts'],
		id: rollout.id,
	});
	const items = failed.data.value?.items ?? [];
	const groups = [...Map.groupBy(items, ({reason}) => reason?.code ?? 'unknown')].toSorted(
		([, one], [, other]) => other.length - one.length,
	);
	return (
		<Panel title="Why boxes failed" class="span-7">
			{groups.length === 0 && <Empty icon="check" title="No box has failed" />}
			{failed.data.value?.nextCursor !== undefined && <p class="soft">Of the first {asked} that failed:</p>}
			{groups.map(([code, boxes]) => (
				<section key={code} class="reason">
					<h3>
						{plural(boxes.length, 'box', 'boxes')} · {boxes[0]?.reason?.message ?? 'no reason was told'}{' '}
						<span class="faint mono small">{code}</span>
					</h3>
					<ul class="tags">
						{boxes.slice(0, shownPerReason).map(({box, phase}) => (
							<li key={box}>
								<Link to={boxPath(box)}>{box}</Link> {phase !== null && <PhaseBadge phase={phase} />}
							</li>
						))}
						{boxes.length > shownPerReason && <li class="faint">and {boxes.length - shownPerReason} more</li>}
					</ul>
				</section>
			))}
		</Panel>
	);
};
