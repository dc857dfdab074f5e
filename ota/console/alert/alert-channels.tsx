import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import type {AlertChannel} from '#ota/contract/alert-api.ts';
import {Age} from '../component/age.tsx';
import {Badge, SeverityBadge} from '../component/badge.tsx';
import {Button} from '../component/button.tsx';
import {Dialog, FormDialog} from '../component/dialog.tsx';
import {SelectField, TextField, wordChoices} from '../component/field.tsx';
import {ListPanel} from '../component/list-panel.tsx';
import {request} from '../state/request.ts';
import {attempt} from '../state/toast.ts';
import {usePages} from '../state/use-pages.ts';

/** Where alerts go. */
export const AlertChannels = (): JSX.Element => {
	const channels = usePages<AlertChannel>('/alert-channels', {live: ['alerts']});
	const isOpen = useSignal(false);
	const secret = useSignal('');
	const act = (work: () => Promise<unknown>, done: string) => async () => {
		await attempt(work, done);
		channels.reload();
	};
	return (
		<>
			<div class="log-tools">
				<Button
					look="primary"
					onPress={() => {
						isOpen.value = true;
					}}
				>
					New channel
				</Button>
			</div>
			<ListPanel
				label="Channels"
				pages={channels}
				heads={['Channel', 'To', 'From', 'Last sent', 'State', '']}
				icon="alert"
				empty="Nobody is told of alerts yet"
				renderRow={(channel) => (
					<tr key={channel.id}>
						<td class="nowrap">{channel.name}</td>
						<td class="wide mono">
							{channel.target.kind === 'webhook' ? channel.target.url : channel.target.to.join(', ')}
						</td>
						<td>
							<SeverityBadge severity={channel.severityMin} />
						</td>
						<td>
							<Age atMs={channel.lastSentMs} />
						</td>
						<td>
							{channel.lastError === null ? (
								<Badge tone={channel.waiting > 0 ? 'warn' : 'good'}>
									{channel.waiting > 0 ? `${channel.waiting} wait` : 'ready'}
								</Badge>
							) : (
								<span title={channel.lastError}>
									<Badge tone="bad">failed, {channel.waiting} wait</Badge>
								</span>
							)}
						</td>
						<td class="nowrap">
							<Button
								onPress={act(() => request('POST', `/alert-channels/${channel.id}/test`), 'A test is on its way')}
							>
								Test
							</Button>{' '}
							<Button onPress={act(() => request('DELETE', `/alert-channels/${channel.id}`), 'The channel has ended')}>
								End it
							</Button>
						</td>
					</tr>
				)}
			/>
			{isOpen.value && (
				<ChannelDialog
					onMade={(made) => {
						secret.value = made ?? '';
						channels.reload();
					}}
					onClose={() => {
						isOpen.value = false;
					}}
				/>
			)}
			{secret.value !== '' && (
				<Dialog
					title="Secret of the webhook, shown this once"
					onClose={() => {
						secret.value = '';
					}}
				>
					<pre>{secret.value}</pre>
				</Dialog>
			)}
		</>
	);
};

type ChannelDialogProps = {readonly onMade: (secret: string | null) => void; readonly onClose: () => void};

const ChannelDialog = ({onMade, onClose}: ChannelDialogProps): JSX.Element => {
	const name = useSignal('');
	const kind = useSignal<string>('webhook');
	const target = useSignal('');
	const severityMin = useSignal<string>('warning');
	const submit = async (): Promise<void> => {
		const to = target.value.split(/[\s,]+/u).filter((address) => address !== '');
		const {body} = await request<{secret: string | null}>('POST', '/alert-channels', {
			body: {
				name: name.value,
				severityMin: severityMin.value,
				target: kind.value === 'email' ? {kind: 'email', to} : {kind: 'webhook', url: target.value},
			},
		});
		onMade(body.secret);
	};
	return (
		<FormDialog title="New channel" verb="Create" onClose={onClose} onSubmit={submit}>
			<TextField label="Name" value={name} required={true} autoFocus={true} />
			<SelectField label="By" value={kind} choices={wordChoices(['webhook', 'email'])} />
			<TextField
				label={kind.value === 'email' ? 'Addresses' : 'URL'}
				value={target}
				required={true}
				hint={kind.value === 'email' ? 'Separated by spaces' : 'Each call is signed with a secret that is shown once'}
			/>
			<SelectField label="From severity" value={severityMin} choices={wordChoices(['warning', 'critical'])} />
		</FormDialog>
	);
};
