import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import {FormDialog} from '../component/dialog.tsx';
import {SelectField, TextField, wordChoices} from '../component/field.tsx';
import {may} from '../state/session.ts';
import {argumentsOf, type CommandField, type CommandForm, commandForms} from './command-form.ts';

export type CommandBody = {
	readonly name: string;
	readonly arguments: Record<string, unknown>;
	readonly timeoutMs?: number;
};

export type CommandDialogProps = {
	readonly title: string;
	readonly first?: string;
	/** What has to be typed before it is sent. */
	readonly confirm?: string | undefined;
	/** What is told when it was sent; nothing where the caller shows more. */
	readonly done?: string;
	readonly onClose: () => void;
	readonly onSend: (body: CommandBody) => Promise<unknown>;
};

export const CommandDialog = ({title, first, confirm, done, onClose, onSend}: CommandDialogProps): JSX.Element => {
	const forms = commandForms.filter(({role}) => may(role));
	const name = useSignal(first ?? forms[0]?.name ?? '');
	const confirmed = useSignal('');
	const typed = useSignal<Readonly<Record<string, string>>>({});
	const form = forms.find((one) => one.name === name.value);
	const values = form && {...initialOf(form), ...typed.value};
	const submit = async (): Promise<void> => {
		if (form !== undefined && values !== undefined) {
			const timeout = form.timeoutMs === undefined ? {} : {timeoutMs: form.timeoutMs};
			await onSend({name: form.name, arguments: argumentsOf(form, values), ...timeout});
		}
	};
	return (
		<FormDialog
			title={title}
			verb="Send"
			look={form?.name === 'reboot' ? 'danger' : 'primary'}
			{...(done !== undefined && {done})}
			canSubmit={confirm === undefined || confirmed.value === confirm}
			onClose={onClose}
			onSubmit={submit}
		>
			<SelectField
				label="Command"
				value={name}
				choices={forms.map((one) => ({value: one.name, text: one.title}))}
				hint={form?.text}
			/>
			{form?.fields.map((field) => (
				<Argument
					key={`${form.name} ${field.name}`}
					field={field}
					onTyped={(value) => {
						typed.value = {...typed.value, [field.name]: value};
					}}
				/>
			))}
			{confirm !== undefined && <TextField label={`So many boxes: type ${confirm} to be sure`} value={confirmed} />}
		</FormDialog>
	);
};

const initialOf = (form: CommandForm): Record<string, string> =>
	Object.fromEntries(form.fields.map(({name, initial}) => [name, initial]));

const Argument = ({field, onTyped}: {readonly field: CommandField; readonly onTyped: (value: string) => void}) => {
	const value = useSignal(field.initial);
	const told = {
		get value() {
			return value.value;
		},
		set value(next: string) {
			value.value = next;
			onTyped(next);
		},
	} as typeof value;
	return field.kind === 'choice' ? (
		<SelectField label={field.label} value={told} choices={wordChoices(field.choices ?? [])} />
	) : (
		<TextField
			label={field.label}
			value={told}
			type={field.kind === 'number' ? 'number' : 'text'}
			{...(field.hint !== undefined && {hint: field.hint})}
		/>
	);
};
