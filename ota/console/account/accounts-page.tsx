import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import type {Account, ApiToken} from '#ota/contract/account-api.ts';
import {Age} from '../component/age.tsx';
import {Badge} from '../component/badge.tsx';
import {Button} from '../component/button.tsx';
import {Dialog, FormDialog} from '../component/dialog.tsx';
import {SelectField, TextField, wordChoices} from '../component/field.tsx';
import {Link} from '../component/link.tsx';
import {ListPanel} from '../component/list-panel.tsx';
import {PageHead} from '../component/panel.tsx';
import {formatDateTime} from '../format/format-time.ts';
import {request} from '../state/request.ts';
import {may, rolesUpToOwn} from '../state/session.ts';
import {attempt} from '../state/toast.ts';
import {type Pages, usePages} from '../state/use-pages.ts';
import {AccountDialog} from './account-dialog.tsx';

export const AccountsPage = ({tab}: {readonly tab: string | undefined}): JSX.Element => {
	const isTokens = tab === 'tokens' || !may('admin');
	return (
		<>
			<PageHead title={isTokens ? 'API tokens' : 'Accounts'} />
			{may('admin') && (
				<nav class="tabs" aria-label="Accounts">
					<Link to="/accounts" current={!isTokens}>
						Accounts
					</Link>
					<Link to="/accounts/tokens" current={isTokens}>
						API tokens
					</Link>
				</nav>
			)}
			{isTokens ? <Tokens /> : <Accounts />}
		</>
	);
};

const Accounts = (): JSX.Element => {
	const accounts = usePages<Account>('/accounts', {live: ['accounts']});
	const editing = useSignal<Account | undefined>(undefined);
	const change = (account: Account, body: object) => async () => {
		await attempt(
			() => request('PATCH', `/accounts/${account.id}`, {body, ifMatch: `"${account.editVersion}"`}),
			'Changed',
		);
		accounts.reload();
	};
	return (
		<>
			<Create
				verb="New account"
				fields={['name', 'displayName']}
				onCreate={async ({name, displayName, role}) => {
					const {body} = await request<{oneTimePassword: string | null}>('POST', '/accounts', {
						body: {name, displayName: displayName || name, role},
					});
					return body.oneTimePassword ?? '';
				}}
				pages={accounts}
			/>
			<ListPanel
				label="Accounts"
				pages={accounts}
				heads={['Account', 'Role', 'Last signed in', 'State', '']}
				icon="account"
				empty="No account"
				renderRow={(account) => (
					<tr key={account.id}>
						<td class="wide">
							{account.displayName} <span class="faint">{account.name}</span>{' '}
							{account.external && <span class="tag">single sign-on</span>}
						</td>
						<td>{account.role}</td>
						<td>
							<Age atMs={account.lastLoginMs} />
						</td>
						<td>
							<Badge tone={account.disabled ? 'bad' : 'good'}>{account.disabled ? 'disabled' : 'active'}</Badge>
						</td>
						<td class="nowrap">
							<Button
								title={`Change ${account.name}`}
								onPress={() => {
									editing.value = account;
								}}
							>
								Change …
							</Button>{' '}
							<Button onPress={change(account, {disabled: !account.disabled})}>
								{account.disabled ? 'Enable' : 'Disable'}
							</Button>
						</td>
					</tr>
				)}
			/>
			{editing.value !== undefined && (
				<AccountDialog
					account={editing.value}
					onDone={accounts.reload}
					onClose={() => {
						editing.value = undefined;
					}}
				/>
			)}
		</>
	);
};

const Tokens = (): JSX.Element => {
	const tokens = usePages<ApiToken>('/tokens', {live: ['accounts']});
	return (
		<>
			<Create
				verb="New token"
				fields={['name']}
				onCreate={async ({name, role}) => {
					const {body} = await request<{token: string}>('POST', '/tokens', {body: {name, role}});
					return body.token;
				}}
				pages={tokens}
			/>
			<ListPanel
				label="API tokens"
				pages={tokens}
				heads={['Token', 'Role', 'Of', 'Last used', 'Ends', '']}
				icon="claim"
				empty="No API token"
				renderRow={(token) => (
					<tr key={token.id}>
						<td class="wide">
							{token.name} <span class="mono faint">{token.prefix}…</span>
						</td>
						<td>{token.role}</td>
						<td>{token.accountName}</td>
						<td>
							<Age atMs={token.lastUsedMs} />
						</td>
						<td class="nowrap">{formatDateTime(token.expiresMs)}</td>
						<td>
							<Button
								onPress={async () => {
									await attempt(() => request('DELETE', `/tokens/${token.id}`), 'The token has ended');
									tokens.reload();
								}}
							>
								End it
							</Button>
						</td>
					</tr>
				)}
			/>
		</>
	);
};

type Made = {readonly name: string; readonly displayName: string; readonly role: string};

/** A dialog, and then the secret that is shown this once. */
const Create = <Item,>(props: {
	readonly verb: string;
	readonly fields: readonly ('name' | 'displayName')[];
	readonly onCreate: (made: Made) => Promise<string>;
	readonly pages: Pages<Item>;
}): JSX.Element => {
	const isOpen = useSignal(false);
	const secret = useSignal('');
	const name = useSignal('');
	const displayName = useSignal('');
	const role = useSignal('viewer');
	return (
		<div class="log-tools">
			<Button
				look="primary"
				onPress={() => {
					isOpen.value = true;
				}}
			>
				{props.verb}
			</Button>
			{isOpen.value && (
				<FormDialog
					title={props.verb}
					verb="Create"
					onClose={() => {
						isOpen.value = false;
					}}
					onSubmit={async () => {
						secret.value = await props.onCreate({
							name: name.value,
							displayName: displayName.value,
							role: role.value,
						});
						props.pages.reload();
					}}
				>
					<TextField label="Name" value={name} required={true} autoFocus={true} />
					{props.fields.includes('displayName') && <TextField label="Shown as" value={displayName} />}
					<SelectField label="Role" value={role} choices={wordChoices(rolesUpToOwn())} />
				</FormDialog>
			)}
			{secret.value !== '' && (
				<Dialog
					title="Shown this once"
					onClose={() => {
						secret.value = '';
					}}
				>
					<pre>{secret.value}</pre>
				</Dialog>
			)}
		</div>
	);
};
