import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import type {Alert, AlertRule} from '#ota/contract/alert-api.ts';
import {FormDialog} from '../component/dialog.tsx';
import {SelectField, TextField} from '../component/field.tsx';
import {request} from '../state/request.ts';

type AcknowledgeProps = {readonly alert: Alert; readonly onDone: () => void; readonly onClose: () => void};

export const AcknowledgeDialog = ({alert, onDone, onClose}: AcknowledgeProps): JSX.Element => {
	const note = useSignal('');
	return (
		<FormDialog
			title="Acknowledge"
			verb="Acknowledge"
			onClose={onClose}
			onSubmit={async () => {
				await request('POST', `/alerts/${alert.id}/acknowledge`, {body: {note: note.value}});
				onDone();
			}}
		>
			<p>{alert.message}</p>
			<TextField label="Note" value={note} hint="What you are doing about it" autoFocus={true} />
		</FormDialog>
	);
};

const rules: readonly AlertRule[] = [
	'box-dark',
	'crash-loop',
	'disk',
	'temperature',
	'signal',
	'update-failed',
	'certificate-expiry',
	'site-dark',
	'outbox-full',
];

export const MuteDialog = ({onClose}: {readonly onClose: () => void}): JSX.Element => {
	const rule = useSignal('');
	const filter = useSignal('');
	const hours = useSignal('4');
	const reason = useSignal('');
	return (
		<FormDialog
			title="Mute alerts"
			verb="Mute"
			done="Muted"
			canSubmit={reason.value !== ''}
			onClose={onClose}
			onSubmit={() =>
				request('POST', '/alert-mutes', {
					body: {
						rule: rule.value || null,
						filter: filter.value,
						untilMs: Date.now() + Number(hours.value) * 3_600_000,
						reason: reason.value,
					},
				})
			}
		>
			<SelectField
				label="Rule"
				value={rule}
				choices={[{value: '', text: 'every rule'}, ...rules.map((name) => ({value: name, text: name}))]}
			/>
			<TextField label="Boxes" value={filter} hint="In the filter language, such as site=oslo; empty: every box" />
			<TextField label="For hours" value={hours} type="number" min={1} />
			<TextField label="Why" value={reason} required={true} />
		</FormDialog>
	);
};
