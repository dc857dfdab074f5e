import type {Signal} from '@preact/signals';
import type {JSX} from 'preact';

/** One of a few, all in sight. */
export const Segments = <Value extends string>({
	label,
	value,
	choices,
	onChange,
}: {
	readonly label: string;
	readonly value: Signal<Value> | Value;
	readonly choices: readonly (readonly [Value, string])[];
	readonly onChange?: (value: Value) => void;
}): JSX.Element => (
	<fieldset class="segments" aria-label={label}>
		{choices.map(([choice, text]) => (
			<button
				key={choice}
				type="button"
				aria-pressed={(typeof value === 'string' ? value : value.value) === choice}
				onClick={() => {
					if (typeof value !== 'string') {
						value.value = choice;
					}
					onChange?.(choice);
				}}
			>
				{text}
			</button>
		))}
	</fieldset>
);
