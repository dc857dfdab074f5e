import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import type {BoxDetail} from '#ota/contract/box-api.ts';
import type {CreatedClaim} from '#ota/contract/claim-api.ts';
import {downloadClaim} from '../claim/download-claim.ts';
import {Badge} from '../component/badge.tsx';
import {Button} from '../component/button.tsx';
import {FormDialog} from '../component/dialog.tsx';
import {TextField} from '../component/field.tsx';
import {Panel} from '../component/panel.tsx';
import {formatDateTime, formatDuration} from '../format/format-time.ts';
import {nowMs} from '../state/clock.ts';
import {request} from '../state/request.ts';
import {may} from '../state/session.ts';

const soonMs = 14 * 86_400_000;

type BoxCertificateProps = {readonly box: BoxDetail; readonly onChanged: () => void};

export const BoxCertificate = ({box, onChanged}: BoxCertificateProps): JSX.Element => {
	const open = useSignal<'revoke' | 'claim' | undefined>(undefined);
	const certificate = box.reported?.certificate;
	const leftMs = (certificate?.notAfterMs ?? 0) - nowMs.value;
	const path = `/boxes/${encodeURIComponent(box.id)}`;
	const show = (what: 'revoke' | 'claim') => () => {
		open.value = what;
	};
	const close = (): void => {
		open.value = undefined;
	};
	return (
		<Panel title="Certificate" class="span-5">
			<dl class="facts">
				<dt>State</dt>
				<dd>
					{box.revokedMs !== null ? (
						<Badge tone="bad">revoked {formatDateTime(box.revokedMs)}</Badge>
					) : certificate === undefined ? (
						'not reported'
					) : (
						<Badge tone={leftMs < soonMs ? 'warn' : 'good'}>
							{leftMs > 0 ? `valid for ${formatDuration(leftMs)}` : 'expired'}
						</Badge>
					)}
				</dd>
				<dt>Serial</dt>
				<dd class="mono">{certificate?.serial ?? '–'}</dd>
				<dt>Ends</dt>
				<dd>{certificate === undefined ? '–' : formatDateTime(certificate.notAfterMs)}</dd>
			</dl>
			{may('operator') && (
				<p class="actions panel-foot">
					<Button onPress={show('claim')}>Swap the box …</Button>
					{may('admin') && box.revokedMs === null && <Button onPress={show('revoke')}>Revoke …</Button>}
				</p>
			)}
			{open.value === 'revoke' && <RevokeDialog box={box} path={path} onClose={close} onChanged={onChanged} />}
			{open.value === 'claim' && (
				<FormDialog
					title={`Swap ${box.id}`}
					verb="Make the claim"
					onClose={close}
					onSubmit={async () => {
						const {body} = await request<CreatedClaim>('POST', `${path}/claim`, {body: {}});
						downloadClaim(body);
					}}
				>
					<p>
						A claim file is downloaded. Put it on the new hardware: it takes this name, site, tags and configuration,
						and the old certificate is revoked at that moment.
					</p>
				</FormDialog>
			)}
		</Panel>
	);
};

type RevokeProps = BoxCertificateProps & {readonly path: string; readonly onClose: () => void};

const RevokeDialog = ({box, path, onClose, onChanged}: RevokeProps): JSX.Element => {
	const typed = useSignal('');
	return (
		<FormDialog
			title={`Revoke ${box.id}`}
			verb="Revoke"
			look="danger"
			done={`${box.id} is cut off`}
			canSubmit={typed.value === box.id}
			onClose={onClose}
			onSubmit={async () => {
				await request('POST', `${path}/revoke`, {body: {}});
				onChanged();
			}}
		>
			<p>The broker cuts it off at once, and it comes back only by a new claim on the spot.</p>
			<TextField label={`Type ${box.id} to be sure`} value={typed} />
		</FormDialog>
	);
};
