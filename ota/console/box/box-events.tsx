import type {JSX} from 'preact';
import type {z} from 'zod';
import type {boxEventRowSchema} from '#ota/contract/box-api.ts';
import {SeverityBadge} from '../component/badge.tsx';
import {Empty, Failed} from '../component/empty.tsx';
import {MoreButton} from '../component/more-button.tsx';
import {formatDateTime} from '../format/format-time.ts';
import {usePages} from '../state/use-pages.ts';
import {describeEvent} from './describe-event.ts';

type EventRow = z.infer<typeof boxEventRowSchema>;

export const BoxEvents = ({id}: {readonly id: string}): JSX.Element => {
	const events = usePages<EventRow>(`/boxes/${encodeURIComponent(id)}/events`, {live: ['boxes']});
	return (
		<section class="panel panel-flush" aria-label="Events">
			{events.error.value !== undefined && <Failed error={events.error.value} onRetry={events.reload} />}
			{events.items.length === 0 && !events.isFirst.value && <Empty icon="audit" title="Nothing has happened yet" />}
			<ol class="timeline">
				{events.items.map((event) => (
					<li key={`${event.atMs} ${event.sequence}`}>
						<span class="soft nowrap">{formatDateTime(event.atMs)}</span>
						<span>
							<SeverityBadge severity={event.severity} />
						</span>
						<span class="soft">{event.kind}</span>
						<span class="text">{describeEvent(event.kind, event.data)}</span>
					</li>
				))}
			</ol>
			<MoreButton pages={events} />
		</section>
	);
};
