import type {Signal} from '@preact/signals';
import type {ComponentChildren, JSX} from 'preact';

type FieldProps = {
	readonly label: string;
	readonly hint?: string | undefined;
	readonly wrong?: string | undefined;
};

const Field = ({label, hint, wrong, children}: FieldProps & {readonly children: ComponentChildren}): JSX.Element => (
	// biome-ignore lint/a11y/noLabelWithoutControl: the control is the child.
	<label class="field">
		<span class="label">{label}</span>
		{children}
		{wrong !== undefined && <span class="wrong">{wrong}</span>}
		{hint !== undefined && <span class="hint">{hint}</span>}
	</label>
);

export type TextFieldProps = FieldProps & {
	readonly value: Signal<string>;
	readonly type?: 'text' | 'password' | 'number' | 'datetime-local' | 'email' | 'url';
	readonly placeholder?: string;
	readonly required?: boolean;
	readonly autoComplete?: string;
	readonly autoFocus?: boolean;
	readonly min?: number;
	readonly max?: number;
	readonly step?: number | 'any';
};

export const TextField = (props: TextFieldProps): JSX.Element => {
	const {label, hint, wrong, value, type = 'text', autoFocus, ...rest} = props;
	return (
		<Field label={label} hint={hint} wrong={wrong}>
			<input
				{...rest}
				ref={autoFocus === true ? focusOnce : null}
				class="input"
				type={type as 'text'}
				value={value.value}
				aria-invalid={wrong !== undefined}
				onInput={(event) => {
					value.value = event.currentTarget.value;
				}}
			/>
		</Field>
	);
};

const focused = new WeakSet<HTMLElement>();
const focusOnce = (element: HTMLElement | null): void => {
	if (element !== null && !focused.has(element)) {
		focused.add(element);
		element.focus();
	}
};

export const AreaField = ({
	value,
	rows = 5,
	...field
}: FieldProps & {readonly value: Signal<string>; readonly rows?: number}): JSX.Element => (
	<Field {...field}>
		<textarea
			class="input"
			rows={rows}
			spellcheck={false}
			aria-invalid={field.wrong !== undefined}
			value={value.value}
			onInput={(event) => {
				value.value = event.currentTarget.value;
			}}
		/>
	</Field>
);

export type Choice = {readonly value: string; readonly text: string};

export const SelectField = ({
	value,
	choices,
	...field
}: FieldProps & {readonly value: Signal<string>; readonly choices: readonly Choice[]}): JSX.Element => (
	<Field {...field}>
		<select
			class="input"
			value={value.value}
			onChange={(event) => {
				value.value = event.currentTarget.value;
			}}
		>
			{choices.map((choice) => (
				<option key={choice.value} value={choice.value}>
					{choice.text}
				</option>
			))}
		</select>
	</Field>
);

export const CheckField = ({label, value}: {readonly label: string; readonly value: Signal<boolean>}): JSX.Element => (
	<label class="check">
		<input
			type="checkbox"
			checked={value.value}
			onChange={(event) => {
				value.value = event.currentTarget.checked;
			}}
		/>
		<span>{label}</span>
	</label>
);

/** Words as choices that read as they are written. */
export const wordChoices = (words: readonly string[]): readonly Choice[] =>
	words.map((word) => ({value: word, text: word}));
