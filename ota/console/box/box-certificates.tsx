import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import type {CertificateRow} from '#ota/contract/claim-api.ts';
import {Age} from '../component/age.tsx';
import {Badge, type Tone} from '../component/badge.tsx';
import {Button} from '../component/button.tsx';
import {FormDialog} from '../component/dialog.tsx';
import {SelectField, wordChoices} from '../component/field.tsx';
import {ListPanel} from '../component/list-panel.tsx';
import {formatDateTime} from '../format/format-time.ts';
import {request} from '../state/request.ts';
import {may} from '../state/session.ts';
import {usePages} from '../state/use-pages.ts';

const tones: Readonly<Record<CertificateRow['state'], Tone>> = {
	valid: 'good',
	superseded: 'none',
	revoked: 'bad',
	expired: 'warn',
};
const origins = {claim: 'by a claim', renewal: 'by renewal'} as const;
const reasons = ['unspecified', 'keyCompromise', 'superseded', 'cessationOfOperation'] as const;

/** Every certificate that the box was given, the newest first. */
export const BoxCertificates = ({id}: {readonly id: string}): JSX.Element => {
	const certificates = usePages<CertificateRow>(`/boxes/${encodeURIComponent(id)}/certificates`, {live: ['boxes']});
	const revoking = useSignal<CertificateRow | undefined>(undefined);
	return (
		<>
			<ListPanel
				label="Certificates"
				pages={certificates}
				heads={['Serial', 'State', 'Issued', 'Good from', 'until', 'SHA-256', '']}
				icon="claim"
				empty="This box was never given a certificate"
				renderRow={(row) => (
					<tr key={row.serial}>
						<td class="mono nowrap">{row.serial}</td>
						<td class="nowrap">
							<Badge tone={tones[row.state]}>{row.state}</Badge>{' '}
							{row.revokedReason !== null && <span class="soft small">{row.revokedReason}</span>}
						</td>
						<td class="nowrap">
							<Age atMs={row.issuedMs} /> <span class="faint">{origins[row.origin]}</span>
						</td>
						<td class="nowrap">{formatDateTime(row.notBeforeMs)}</td>
						<td class="nowrap">{formatDateTime(row.notAfterMs)}</td>
						<td class="mono faint wide" title={row.fingerprint}>
							{row.fingerprint.slice(0, 16)}…
						</td>
						<td>
							{may('admin') && row.state !== 'revoked' && row.state !== 'expired' && (
								<Button
									onPress={() => {
										revoking.value = row;
									}}
								>
									Revoke …
								</Button>
							)}
						</td>
					</tr>
				)}
			/>
			{revoking.value !== undefined && (
				<RevokeOne
					row={revoking.value}
					onDone={certificates.reload}
					onClose={() => {
						revoking.value = undefined;
					}}
				/>
			)}
		</>
	);
};

type RevokeOneProps = {readonly row: CertificateRow; readonly onDone: () => void; readonly onClose: () => void};

const RevokeOne = ({row, onDone, onClose}: RevokeOneProps): JSX.Element => {
	const reason = useSignal<string>('unspecified');
	return (
		<FormDialog
			title={`Revoke certificate ${row.serial}`}
			verb="Revoke"
			look="danger"
			done="The certificate is revoked"
			onClose={onClose}
			onSubmit={async () => {
				await request('POST', `/certificates/${row.serial}/revoke`, {body: {reason: reason.value}});
				onDone();
			}}
		>
			<p>
				{row.state === 'valid'
					? `${row.box} signs in with this one: it is cut off at once, and comes back only by a new claim.`
					: `${row.box} has a newer one, and stays.`}
			</p>
			<SelectField label="Reason" value={reason} choices={wordChoices(reasons)} />
		</FormDialog>
	);
};
