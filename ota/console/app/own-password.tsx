import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import {passwordHint, passwordProblem} from '../account/password-rule.ts';
import {FormDialog} from '../component/dialog.tsx';
import {TextField} from '../component/field.tsx';
import {changePassword} from '../sign-in/change-password.tsx';

export const OwnPassword = ({onClose}: {readonly onClose: () => void}): JSX.Element => {
	const current = useSignal('');
	const next = useSignal('');
	const problem = passwordProblem(next.value);
	return (
		<FormDialog
			title="Change your password"
			verb="Change"
			done="Your password is changed; your other sessions have ended"
			canSubmit={current.value !== '' && next.value !== '' && problem === undefined}
			onClose={onClose}
			onSubmit={() => changePassword(current.value, next.value)}
		>
			<TextField
				label="Your password now"
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
		</FormDialog>
	);
};
