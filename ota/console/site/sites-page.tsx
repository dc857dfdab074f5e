import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import type {Site} from '#ota/contract/box-api.ts';
import {Button} from '../component/button.tsx';
import {Link} from '../component/link.tsx';
import {ListPanel} from '../component/list-panel.tsx';
import {PageHead} from '../component/panel.tsx';
import {formatClock} from '../format/format-time.ts';
import {nowMs} from '../state/clock.ts';
import {boxesPath} from '../state/router.ts';
import {may} from '../state/session.ts';
import {usePages} from '../state/use-pages.ts';
import {RemoveDialog, SiteDialog} from './site-dialogs.tsx';

export const SitesPage = (): JSX.Element => {
	const sites = usePages<Site>('/sites', {live: ['boxes']});
	const open = useSignal<Site | 'new' | undefined>(undefined);
	const removing = useSignal<Site | undefined>(undefined);
	const close = (): void => {
		open.value = undefined;
		removing.value = undefined;
	};
	return (
		<>
			<PageHead
				title="Sites"
				actions={
					may('operator') && (
						<Button
							look="primary"
							onPress={() => {
								open.value = 'new';
							}}
						>
							New site
						</Button>
					)
				}
			/>
			<ListPanel
				label="Sites"
				pages={sites}
				heads={['Site', 'Place', 'Its time', 'Maintenance windows', '']}
				icon="site"
				empty="No site yet"
				renderRow={(site) => (
					<tr key={site.id}>
						<td>
							<Link to={boxesPath(`site=${site.id}`)}>{site.name}</Link> <span class="faint mono small">{site.id}</span>
						</td>
						<td class="nowrap">
							{site.latitude.toFixed(2)}°, {site.longitude.toFixed(2)}°
						</td>
						<td class="nowrap">
							{formatClock(nowMs.value, site.timeZone)} <span class="faint">{site.timeZone}</span>
						</td>
						<td class="wide">
							{site.windows?.map(({days, from, to}) => `days ${days.join(' ')}: ${from}–${to}`).join('; ') ??
								'at any time'}
						</td>
						<td class="nowrap">
							{may('operator') && (
								<>
									<Button
										title={`Change ${site.name}`}
										onPress={() => {
											open.value = site;
										}}
									>
										Change …
									</Button>{' '}
									<Button
										title={`Remove ${site.name}`}
										onPress={() => {
											removing.value = site;
										}}
									>
										Remove …
									</Button>
								</>
							)}
						</td>
					</tr>
				)}
			/>
			{open.value !== undefined && (
				<SiteDialog site={open.value === 'new' ? undefined : open.value} onDone={sites.reload} onClose={close} />
			)}
			{removing.value !== undefined && <RemoveDialog site={removing.value} onDone={sites.reload} onClose={close} />}
		</>
	);
};
