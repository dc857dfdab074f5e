import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import type {Rollout, RolloutState} from '#ota/contract/rollout-api.ts';
import {Button} from '../component/button.tsx';
import {FormDialog} from '../component/dialog.tsx';
import {TextField} from '../component/field.tsx';
import {request} from '../state/request.ts';
import {may, session} from '../state/session.ts';

type Act = 'approve' | 'reject' | 'start' | 'pause' | 'resume' | 'abort' | 'retry-failed';

const texts: Readonly<Record<Act, readonly [string, string]>> = {
	approve: ['Approve', 'It may then be started.'],
	reject: ['Reject', 'It ends here; a new rollout can be made.'],
	start: ['Start', 'Boxes of the first group get their orders.'],
	pause: ['Pause', 'No box gets a new order; those that have one go on.'],
	resume: ['Resume', 'Failures so far are accepted, and are counted anew.'],
	abort: ['Abort', 'Every order is taken back whose box has not begun to install.'],
	'retry-failed': ['Retry the failed', 'Boxes that failed get another order.'],
};

const possible: Readonly<Record<RolloutState, readonly Act[]>> = {
	'waiting-approval': ['approve', 'reject'],
	approved: ['start', 'abort'],
	scheduled: ['pause', 'abort'],
	running: ['pause', 'abort'],
	paused: ['resume', 'abort'],
	finished: ['retry-failed'],
	aborted: [],
	rejected: [],
};

type RolloutActionsProps = {
	readonly rollout: Rollout;
	readonly onDone: () => void;
};

export const RolloutActions = ({rollout, onDone}: RolloutActionsProps): JSX.Element => {
	const open = useSignal<Act | undefined>(undefined);
	const note = useSignal('');
	const isOwn = rollout.createdById === session.value?.account.id;
	const mayAct = (act: Act): boolean =>
		act === 'approve' || act === 'reject' ? may('approver') && !isOwn : may('operator');
	const send = async (act: Act): Promise<void> => {
		// The engine moves it on all the time: what was decided on is its state, which must still be the one on the page.
		const now = await request<Rollout>('GET', `/rollouts/${rollout.id}`);
		if (now.body.state !== rollout.state) {
			onDone();
			throw new Error(`It is ${now.body.state} by now.`);
		}
		const isDecision = act === 'approve' || act === 'reject';
		await request('POST', `/rollouts/${rollout.id}/${isDecision ? 'approve' : act}`, {
			body: isDecision
				? {decision: act === 'approve' ? 'approved' : 'rejected', note: note.value}
				: {reason: note.value},
			ifMatch: now.etag ?? `"${now.body.editVersion}"`,
		});
		onDone();
	};
	const acts = possible[rollout.state].filter(mayAct);
	return (
		<>
			{rollout.state === 'waiting-approval' && acts.length === 0 && (
				<span class="soft">{isOwn ? 'Somebody else has to approve it' : 'An approver has to approve it'}</span>
			)}
			{acts.map((act) => (
				<Button
					key={act}
					look={act === 'abort' || act === 'reject' ? 'danger' : act === 'pause' ? 'normal' : 'primary'}
					onPress={() => {
						open.value = act;
					}}
				>
					{texts[act][0]} …
				</Button>
			))}
			{open.value !== undefined && (
				<FormDialog
					title={`${texts[open.value][0]}: ${rollout.spec.name}`}
					verb={texts[open.value][0]}
					look={open.value === 'abort' || open.value === 'reject' ? 'danger' : 'primary'}
					onClose={() => {
						open.value = undefined;
					}}
					onSubmit={() => send(open.value ?? 'pause')}
				>
					<p>{texts[open.value][1]}</p>
					<TextField label="Why (for the audit log)" value={note} autoFocus={true} />
				</FormDialog>
			)}
		</>
	);
};
