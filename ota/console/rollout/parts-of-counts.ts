import type {RolloutBoxState} from '#ota/contract/rollout-api.ts';
import type {BarPart} from '../component/bar.tsx';

/** How many boxes stand where, in the order in which they get there. */
export const partsOfCounts = (counts: Readonly<Partial<Record<RolloutBoxState, number>>>): readonly BarPart[] => [
	{label: 'done', count: counts.done ?? 0, tone: 'good'},
	{label: 'updating', count: counts.ordered ?? 0, tone: 'accent'},
	{label: 'retrying', count: counts.retrying ?? 0, tone: 'warn'},
	{label: 'failed', count: counts.failed ?? 0, tone: 'bad'},
	{label: 'left out', count: (counts.withdrawn ?? 0) + (counts.skipped ?? 0), tone: 'violet'},
	{label: 'waiting', count: counts.waiting ?? 0, tone: 'none'},
];
