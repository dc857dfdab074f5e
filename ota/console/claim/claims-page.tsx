import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import type {ClaimSummary, CreatedClaim} from '#ota/contract/claim-api.ts';
import {Age} from '../component/age.tsx';
import {Badge} from '../component/badge.tsx';
import {Button} from '../component/button.tsx';
import {FormDialog} from '../component/dialog.tsx';
import {SelectField, TextField, wordChoices} from '../component/field.tsx';
import {Link} from '../component/link.tsx';
import {ListPanel} from '../component/list-panel.tsx';
import {PageHead} from '../component/panel.tsx';
import {formatDateTime} from '../format/format-time.ts';
import {request} from '../state/request.ts';
import {boxPath} from '../state/router.ts';
import {attempt} from '../state/toast.ts';
import {usePages} from '../state/use-pages.ts';
import {downloadClaim} from './download-claim.ts';
import {MadeClaim} from './made-claim.tsx';

const tones = {open: 'accent', used: 'good', expired: 'none'} as const;

export const ClaimsPage = (): JSX.Element => {
	const claims = usePages<ClaimSummary>('/claims', {live: ['boxes']});
	const isOpen = useSignal(false);
	const made = useSignal<CreatedClaim | undefined>(undefined);
	return (
		<>
			<PageHead
				title="Claims"
				actions={
					<Button
						look="primary"
						onPress={() => {
							isOpen.value = true;
						}}
					>
						New claim
					</Button>
				}
			/>
			<ListPanel
				label="Claims"
				pages={claims}
				heads={['For', 'Kind', 'State', 'Made', 'Ends', '']}
				icon="claim"
				empty="No claim yet: a box enrols with one"
				renderRow={(claim) => (
					<tr key={claim.id}>
						<td class="wide">
							{claim.usedBy === null ? (
								(claim.deviceId ?? 'whichever comes')
							) : (
								<Link to={boxPath(claim.usedBy)}>{claim.usedBy}</Link>
							)}{' '}
							<span class="faint">{claim.site}</span>
						</td>
						<td>{claim.kind}</td>
						<td>
							<Badge tone={tones[claim.state]}>{claim.state}</Badge>
						</td>
						<td>
							<Age atMs={claim.createdMs} /> <span class="faint">by {claim.createdBy}</span>
						</td>
						<td class="nowrap">{formatDateTime(claim.expiresMs)}</td>
						<td>
							{claim.state === 'open' && (
								<Button
									onPress={async () => {
										await attempt(() => request('DELETE', `/claims/${claim.id}`), 'The claim is withdrawn');
										claims.reload();
									}}
								>
									Withdraw
								</Button>
							)}
						</td>
					</tr>
				)}
			/>
			{isOpen.value && (
				<ClaimDialog
					onDone={(claim) => {
						made.value = claim;
						claims.reload();
					}}
					onClose={() => {
						isOpen.value = false;
					}}
				/>
			)}
			{made.value !== undefined && !isOpen.value && (
				<MadeClaim
					made={made.value}
					onClose={() => {
						made.value = undefined;
					}}
				/>
			)}
		</>
	);
};

type ClaimDialogProps = {readonly onDone: (made: CreatedClaim | undefined) => void; readonly onClose: () => void};

const ClaimDialog = ({onDone, onClose}: ClaimDialogProps): JSX.Element => {
	const id = useSignal('');
	const kind = useSignal('stb');
	const site = useSignal('');
	const tags = useSignal('');
	return (
		<FormDialog
			title="New claim"
			verb="Make and download"
			done="The claim file was downloaded"
			onClose={onClose}
			onSubmit={async () => {
				const {body} = await request<{items: readonly CreatedClaim[]}>('POST', '/claims', {
					body: {
						...(id.value === '' ? {count: 1} : {deviceIds: [id.value]}),
						...(site.value === '' ? {} : {site: site.value}),
						kind: kind.value,
						tags: tags.value.split(/\s+/u).filter((tag) => tag !== ''),
					},
				});
				body.items.forEach(downloadClaim);
				onDone(body.items[0]);
			}}
		>
			<TextField label="Box" value={id} hint="Its name; empty: whichever box comes" autoFocus={true} />
			<SelectField label="Kind" value={kind} choices={wordChoices(['stb', 'headend', 'pop-node'])} />
			<TextField label="Site" value={site} />
			<TextField label="Tags" value={tags} />
		</FormDialog>
	);
};
