import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import {useEffect} from 'preact/hooks';
import type {Session} from '#ota/contract/account-api.ts';
import {Failed} from '../component/empty.tsx';
import {ChangePassword} from '../sign-in/change-password.tsx';
import {SignIn} from '../sign-in/sign-in.tsx';
import {RequestError, request} from '../state/request.ts';
import {session, setSession} from '../state/session.ts';
import {Shell} from './shell.tsx';

/** Asks who is signed in, and shows the console or the way in. */
export const App = (): JSX.Element | null => {
	const error = useSignal<RequestError | undefined>(undefined);
	const ask = async (): Promise<void> => {
		try {
			const {body} = await request<Session>('GET', '/session');
			error.value = undefined;
			setSession(body);
		} catch (caught) {
			if (caught instanceof RequestError && caught.problem.status !== 401) {
				error.value = caught;
			} else {
				setSession(null);
			}
		}
	};
	useEffect(() => {
		void ask();
	}, []);
	if (error.value !== undefined) {
		return (
			<main class="main">
				<Failed error={error.value} onRetry={() => void ask()} />
			</main>
		);
	}
	switch (session.value) {
		case undefined:
			return null;
		case null:
			return <SignIn />;
		default:
			return session.value.account.mustChangePassword ? <ChangePassword /> : <Shell />;
	}
};
