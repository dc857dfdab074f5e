import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import type {Release} from '#ota/contract/release-api.ts';
import {Badge} from '../component/badge.tsx';
import {Button} from '../component/button.tsx';
import {FormDialog} from '../component/dialog.tsx';
import {Failed} from '../component/empty.tsx';
import {TextField} from '../component/field.tsx';
import {Link} from '../component/link.tsx';
import {PageHead, Panel} from '../component/panel.tsx';
import {formatBytes, plural} from '../format/format-number.ts';
import {formatDateTime} from '../format/format-time.ts';
import {request} from '../state/request.ts';
import {boxesPath} from '../state/router.ts';
import {may} from '../state/session.ts';
import {useResource} from '../state/use-resource.ts';
import {releaseTones} from './releases-page.tsx';

export const ReleasePage = ({version}: {readonly version: string}): JSX.Element => {
	const path = `/releases/${encodeURIComponent(version)}`;
	const release = useResource<Release>(path, {live: ['releases', 'boxes']});
	const isWithdrawing = useSignal(false);
	const reason = useSignal('');
	const data = release.data.value;
	return (
		<>
			<PageHead
				title={version}
				actions={
					data?.state === 'published' &&
					may('operator') && (
						<>
							<Link class="button" to={`/rollouts/new?release=${encodeURIComponent(version)}`}>
								Roll out
							</Link>
							<Button
								look="danger"
								onPress={() => {
									isWithdrawing.value = true;
								}}
							>
								Withdraw …
							</Button>
						</>
					)
				}
			>
				{data !== undefined && <Badge tone={releaseTones[data.state]}>{data.state}</Badge>}
			</PageHead>
			{release.error.value !== undefined && <Failed error={release.error.value} onRetry={release.reload} />}
			{data !== undefined && <ReleaseBody release={data} />}
			{isWithdrawing.value && (
				<FormDialog
					title={`Withdraw ${version}`}
					verb="Withdraw"
					look="danger"
					canSubmit={reason.value !== ''}
					onClose={() => {
						isWithdrawing.value = false;
					}}
					onSubmit={async () => {
						await request('POST', `${path}/withdraw`, {body: {reason: reason.value}});
						release.reload();
					}}
				>
					<p>Rollouts of it pause, and no new one can be made.</p>
					<TextField label="Why" value={reason} required={true} />
				</FormDialog>
			)}
		</>
	);
};

const ReleaseBody = ({release}: {readonly release: Release}): JSX.Element => (
	<div class="grid">
		{release.withdrawn !== null && (
			<div class="notice span-12" data-tone="bad">
				Withdrawn by {release.withdrawn.by}: {release.withdrawn.reason}
			</div>
		)}
		<Panel title="Notes" class="span-8">
			<pre>{release.manifest.notes || 'None.'}</pre>
		</Panel>
		<Panel title="Release" class="span-4">
			<dl class="facts">
				<dt>Signed by</dt>
				<dd>{release.signer}</dd>
				<dt>Made</dt>
				<dd>{formatDateTime(release.createdMs)}</dd>
				<dt>By</dt>
				<dd>{release.createdBy}</dd>
				<dt>Runs on</dt>
				<dd>
					<Link to={boxesPath(`release=${release.release}`)}>{plural(release.boxes, 'box', 'boxes')}</Link>
				</dd>
			</dl>
		</Panel>
		<Panel title="Bundles" class="span-12 panel-flush">
			<div class="table-wrap">
				<table class="table">
					<thead>
						<tr>
							<th>Kind</th>
							<th>For</th>
							<th>Format</th>
							<th class="number">Size</th>
							<th>Installs</th>
							<th>SHA-256</th>
						</tr>
					</thead>
					<tbody>
						{release.manifest.bundles.map((bundle) => (
							<tr key={bundle.sha256}>
								<td class="nowrap">{bundle.kind}</td>
								<td class="nowrap">{bundle.compatible}</td>
								<td>{bundle.format}</td>
								<td class="number nowrap">{formatBytes(bundle.sizeBytes)}</td>
								<td class="nowrap">
									{bundle.minimumRelease === undefined ? 'after any' : `after ${bundle.minimumRelease}`}
								</td>
								<td class="mono faint wide">{bundle.sha256}</td>
							</tr>
						))}
					</tbody>
				</table>
			</div>
		</Panel>
	</div>
);
