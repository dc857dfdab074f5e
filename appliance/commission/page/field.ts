import {create} from '../../page/dom.ts';

type FieldOptions = {
	readonly label: string;
	readonly name: string;
	readonly hint?: string;
	readonly attributes?: Readonly<Record<string, string | number | boolean | undefined>>;
};

/** A labelled input, tall enough for a thumb in a glove. */
export const createField = ({label, name, hint, attributes = {}}: FieldOptions) => {
	const id = `field-${name}`;
	const hintId = `${id}-hint`;
	const input = create('input', {
		...{id, name, autocomplete: 'off', ...attributes},
		'aria-describedby': hint === undefined ? undefined : hintId,
	});
	const element = create(
		'p',
		{class: 'field'},
		create('label', {for: id}, label),
		input,
		hint === undefined ? undefined : create('small', {id: hintId}, hint),
	);
	return {element, input};
};

/** The code of the box's console; shown only where a write needs it. */
export const createCodeField = (name: string, hint = 'This box is, or may be, somebody’s. Good for once.') => {
	const {element, input} = createField({
		...{label: 'Code on the box’s console', name, hint},
		attributes: {maxlength: 16, spellcheck: 'false', autocapitalize: 'characters'},
	});
	element.hidden = true;
	return {
		element,
		update: (codeNeeded: boolean) => {
			element.hidden = !codeNeeded;
		},
		/** Taken once: the box makes a new one. */
		take: (): {readonly code?: string} => {
			const code = input.value.trim();
			input.value = '';
			return code === '' ? {} : {code};
		},
	};
};

/** Where a form says what came of it. */
export const createOutcome = () => {
	const element = create('p', {class: 'outcome', role: 'status'});
	return {
		element,
		tell: (text: string, kind: 'good' | 'bad' | 'busy') => {
			element.textContent = text;
			element.dataset['kind'] = kind;
		},
	};
};
