import type {JSX} from 'preact';
import type {Release} from '#ota/contract/release-api.ts';
import {Age} from '../component/age.tsx';
import {Badge} from '../component/badge.tsx';
import {Link} from '../component/link.tsx';
import {ListPanel} from '../component/list-panel.tsx';
import {PageHead} from '../component/panel.tsx';
import {formatBytes, formatCount} from '../format/format-number.ts';
import {usePages} from '../state/use-pages.ts';

export const releaseTones = {uploading: 'accent', published: 'good', withdrawn: 'bad'} as const;

export const ReleasesPage = (): JSX.Element => (
	<>
		<PageHead title="Releases" />
		<ListPanel
			label="Releases"
			pages={usePages<Release>('/releases', {live: ['releases']})}
			heads={['Release', 'State', 'Bundles', 'Boxes run it', 'Published']}
			icon="release"
			empty="No release yet: ./streamverse release publish brings one"
			renderRow={(release) => (
				<tr key={release.release}>
					<td>
						<Link to={`/releases/${release.release}`} class="mono">
							{release.release}
						</Link>
					</td>
					<td>
						<Badge tone={releaseTones[release.state]}>{release.state}</Badge>
					</td>
					<td class="wide">
						{release.manifest.bundles.map((bundle) => `${bundle.kind} ${formatBytes(bundle.sizeBytes)}`).join(', ')}
					</td>
					<td>{formatCount(release.boxes)}</td>
					<td>
						<Age atMs={release.publishedMs} />
					</td>
				</tr>
			)}
		/>
	</>
);
