import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import type {Site} from '#ota/contract/box-api.ts';
import {Button} from '../component/button.tsx';
import {FormDialog} from '../component/dialog.tsx';
import {TextField} from '../component/field.tsx';
import {Link} from '../component/link.tsx';
import {ListPanel} from '../component/list-panel.tsx';
import {PageHead} from '../component/panel.tsx';
import {formatClock} from '../format/format-time.ts';
import {nowMs} from '../state/clock.ts';
import {request} from '../state/request.ts';
import {boxesPath} from '../state/router.ts';
import {may} from '../state/session.ts';
import {usePages} from '../state/use-pages.ts';

export const SitesPage = (): JSX.Element => {
	const sites = usePages<Site>('/sites', {live: ['boxes']});
	const isOpen = useSignal(false);
	return (
		<>
			<PageHead
				title="Sites"
				actions={
					may('operator') && (
						<Button
							look="primary"
							onPress={() => {
								isOpen.value = true;
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
				heads={['Site', 'Place', 'Its time', 'Maintenance windows']}
				icon="site"
				empty="No site yet"
				renderRow={(site) => (
					<tr key={site.id}>
						<td>
							<Link to={boxesPath(`site=${site.id}`)}>{site.name}</Link> <span class="faint mono">{site.id}</span>
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
					</tr>
				)}
			/>
			{isOpen.value && (
				<SiteDialog
					onDone={sites.reload}
					onClose={() => {
						isOpen.value = false;
					}}
				/>
			)}
		</>
	);
};

const SiteDialog = ({onDone, onClose}: {readonly onDone: () => void; readonly onClose: () => void}): JSX.Element => {
	const id = useSignal('');
	const name = useSignal('');
	const latitude = useSignal('');
	const longitude = useSignal('');
	const timeZone = useSignal('Etc/UTC');
	return (
		<FormDialog
			title="New site"
			verb="Create"
			onClose={onClose}
			onSubmit={async () => {
				// If-Match "0": a site that is there already is not overwritten.
				await request('PUT', `/sites/${encodeURIComponent(id.value)}`, {
					ifMatch: '"0"',
					body: {
						name: name.value,
						latitude: Number(latitude.value),
						longitude: Number(longitude.value),
						timeZone: timeZone.value,
						windows: null,
					},
				});
				onDone();
			}}
		>
			<TextField label="Id" value={id} required={true} hint="Lower case, digits and -" autoFocus={true} />
			<TextField label="Name" value={name} required={true} />
			<TextField label="Latitude" value={latitude} type="number" min={-90} max={90} step="any" required={true} />
			<TextField label="Longitude" value={longitude} type="number" min={-180} max={180} step="any" required={true} />
			<TextField label="Time zone" value={timeZone} required={true} />
		</FormDialog>
	);
};
