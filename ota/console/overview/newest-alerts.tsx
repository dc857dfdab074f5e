import type {JSX} from 'preact';
import type {Alert} from '#ota/contract/alert-api.ts';
import {Age} from '../component/age.tsx';
import {HealthMark} from '../component/badge.tsx';
import {Empty} from '../component/empty.tsx';
import {Link} from '../component/link.tsx';
import {Panel} from '../component/panel.tsx';
import {withOwnTimes} from '../format/format-time.ts';
import {boxPath} from '../state/router.ts';
import {useResource} from '../state/use-resource.ts';

const shown = 6;

/** What is raised and nobody has taken up. */
export const NewestAlerts = (): JSX.Element => {
	const alerts = useResource<{items: readonly Alert[]}>('/alerts', {
		query: {state: 'raised', acknowledged: 'false', limit: shown},
		live: ['alerts'],
	});
	const items = alerts.data.value?.items;
	return (
		<Panel title="Newest alerts" class="span-4" actions={<Link to="/alerts">All alerts</Link>}>
			{items?.length === 0 ? (
				<Empty icon="check" title="No open alert">
					<span>The fleet is quiet.</span>
				</Empty>
			) : (
				<ul class="alert-list">
					{items?.map((alert) => (
						<li key={alert.id}>
							<HealthMark health={alert.severity} />
							<span class="text">
								{withOwnTimes(alert.message)}
								<span class="faint small">
									{alert.box === null ? (alert.site ?? 'server') : <Link to={boxPath(alert.box)}>{alert.box}</Link>}
								</span>
							</span>
							<span class="faint small">
								<Age atMs={alert.raisedMs} />
							</span>
						</li>
					))}
				</ul>
			)}
		</Panel>
	);
};
