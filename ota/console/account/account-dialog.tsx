import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import type {Account} from '#ota/contract/account-api.ts';
import {Button} from '../component/button.tsx';
import {FormDialog} from '../component/dialog.tsx';
import {SelectField, TextField, wordChoices} from '../component/field.tsx';
import {request} from '../state/request.ts';
import {rolesUpToOwn} from '../state/session.ts';
import {attempt} from '../state/toast.ts';

type AccountDialogProps = {readonly account: Account; readonly onDone: () => void; readonly onClose: () => void};

/** Name, role, and a new one-time password for who forgot the own one. */
export const AccountDialog = ({account, onDone, onClose}: AccountDialogProps): JSX.Element => {
	const displayName = useSignal(account.displayName);
	const role = useSignal<string>(account.role);
	const oneTime = useSignal('');
	const isResetting = useSignal(false);
	const reset = async (): Promise<void> => {
		await attempt(async () => {
			const path = `/accounts/${account.id}/password-reset`;
			const {body} = await request<{oneTimePassword: string | null}>('POST', path, {body: {}});
			oneTime.value = body.oneTimePassword ?? '';
		});
		onDone();
	};
	return (
		<FormDialog
			title={`Change ${account.name}`}
			verb="Save"
			done="Changed"
			canSubmit={oneTime.value === ''}
			onClose={onClose}
			onSubmit={async () => {
				await request('PATCH', `/accounts/${account.id}`, {
					body: {displayName: displayName.value, role: role.value},
					ifMatch: `"${account.editVersion}"`,
				});
				onDone();
			}}
		>
			<TextField label="Shown as" value={displayName} required={true} />
			<SelectField label="Role" value={role} choices={wordChoices(rolesUpToOwn())} />
			{account.external ? (
				<p class="soft">Signs in elsewhere: it has no password here.</p>
			) : oneTime.value !== '' ? (
				<div class="notice" role="status">
					<p>The one-time password, shown this once:</p>
					<pre>{oneTime.value}</pre>
				</div>
			) : isResetting.value ? (
				<p class="actions">
					<span class="soft">Every session and every API token of this account ends.</span>
					<Button look="danger" onPress={reset}>
						Reset the password
					</Button>
				</p>
			) : (
				<p>
					<Button
						onPress={() => {
							isResetting.value = true;
						}}
					>
						Reset the password …
					</Button>
				</p>
			)}
		</FormDialog>
	);
};
