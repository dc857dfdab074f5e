import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import {passwordHint, passwordProblem} from '../account/password-rule.ts';
import {Button} from '../component/button.tsx';
import {TextField} from '../component/field.tsx';
import {messageOf, request} from '../state/request.ts';
import {session, setSession} from '../state/session.ts';
import './sign-in.css';

export const changePassword = async (current: string, next: string): Promise<void> => {
	await request('PUT', '/session/password', {body: {current, next}});
};

/** A password that somebody else gave is changed before anything else. */
export const ChangePassword = (): JSX.Element => {
	const current = useSignal('');
	const next = useSignal('');
	const wrong = useSignal<string | undefined>(undefined);
	const submit = async (): Promise<void> => {
		try {
			await changePassword(current.value, next.value);
			const own = session.value;
			setSession(own ? {...own, account: {...own.account, mustChangePassword: false}} : null);
		} catch (error) {
			wrong.value = messageOf(error);
		}
	};
	const problem = passwordProblem(next.value);
	return (
		<main class="sign-in">
			<form
				class="sign-in-card"
				onSubmit={(event) => {
					event.preventDefault();
					void submit();
				}}
			>
				<h1>Choose your password</h1>
				<p class="soft">The one that you were given works only this once.</p>
				<TextField
					label="The password you were given"
					value={current}
					type="password"
					autoComplete="current-password"
					autoFocus={true}
				/>
				<TextField
					label="New password"
					value={next}
					type="password"
					autoComplete="new-password"
					hint={passwordHint}
					wrong={problem}
				/>
				<p class="wrong" role="alert">
					{wrong.value}
				</p>
				<Button
					look="primary"
					type="submit"
					disabled={next.value === '' || problem !== undefined || current.value === ''}
				>
					Change and go on
				</Button>
			</form>
		</main>
	);
};
