import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import type {LoginMethods, Session} from '#ota/contract/account-api.ts';
import {Button} from '../component/button.tsx';
import {TextField} from '../component/field.tsx';
import {RequestError, request} from '../state/request.ts';
import {setSession} from '../state/session.ts';
import {useResource} from '../state/use-resource.ts';
import './sign-in.css';

export const SignIn = (): JSX.Element => {
	const methods = useResource<LoginMethods>('/login-methods');
	const oidc = methods.data.value?.oidc;
	document.title = 'Sign in · StreamVerse fleet';
	return (
		<main class="sign-in">
			<div class="sign-in-card">
				<p class="wordmark">
					Stream<b>Verse</b>
					<small>Fleet</small>
				</p>
				<h1>Sign in</h1>
				{methods.error.value !== undefined && (
					<p class="wrong" role="alert">
						{methods.error.value.message}
					</p>
				)}
				{oidc !== undefined && oidc !== null && (
					<a
						class="button"
						data-look="primary"
						href={`${oidc.startPath}?${new URLSearchParams({returnTo: location.pathname})}`}
					>
						Sign in with {oidc.name}
					</a>
				)}
				{methods.data.value?.password !== false && <PasswordForm isOnly={oidc === null || oidc === undefined} />}
			</div>
		</main>
	);
};

const PasswordForm = ({isOnly}: {readonly isOnly: boolean}): JSX.Element => {
	const name = useSignal('');
	const password = useSignal('');
	const wrong = useSignal<string | undefined>(undefined);
	const isBusy = useSignal(false);
	const submit = async (): Promise<void> => {
		isBusy.value = true;
		wrong.value = undefined;
		try {
			const {body} = await request<Session>('POST', '/session', {body: {name: name.value, password: password.value}});
			setSession(body);
		} catch (error) {
			const problem = error instanceof RequestError ? error.problem : undefined;
			wrong.value =
				problem?.status === 401 ? 'Name or password is wrong.' : (problem?.title ?? 'Signing in did not work.');
		}
		isBusy.value = false;
	};
	return (
		<form
			class="form"
			onSubmit={(event) => {
				event.preventDefault();
				void submit();
			}}
		>
			{!isOnly && <p class="faint small">or with a password</p>}
			<TextField label="Name" value={name} required={true} autoComplete="username" autoFocus={true} />
			<TextField label="Password" value={password} type="password" required={true} autoComplete="current-password" />
			<p class="wrong" role="alert">
				{wrong.value}
			</p>
			<Button look={isOnly ? 'primary' : 'normal'} type="submit" disabled={isBusy.value}>
				Sign in
			</Button>
		</form>
	);
};
