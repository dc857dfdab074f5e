import {create} from '../../page/dom.ts';
import type {CommissionState} from '../commission-schema.ts';
import {write} from './api.ts';
import {createCodeField, createField, createOutcome} from './field.ts';

const lost =
	'Everything that this box keeps is lost: its name and identity, its claim, its settings with those of its network, and ' +
	'all that it has received. The releases in its slots stay. It is nobody’s then, and needs a new claim.';

/** The last thing on the page, and shown only by a box that somebody would reset. */
export const createResetPanel = () => {
	let boxId = '';
	const name = createField({
		...{label: 'Name of this box', name: 'reset-name', hint: 'Type it as it stands at the top of this page.'},
		attributes: {maxlength: 64, spellcheck: 'false', autocapitalize: 'none'},
	});
	const code = createCodeField('reset-code', 'Only who stands at the box can reset it. Good for once.');
	code.update(true);
	const button = create('button', {type: 'submit', class: 'button quiet'}, 'Reset this box');
	const outcome = createOutcome();
	const form = create(
		'form',
		{class: 'form'},
		create('p', {class: 'soft'}, lost),
		create('div', {class: 'inputs'}, name.element, code.element),
		create('p', {class: 'actions'}, button),
		outcome.element,
	);
	const reset = async (): Promise<void> => {
		const typed = name.input.value.trim();
		if (typed !== boxId) {
			outcome.tell('This is not the name of this box; nothing is reset.', 'bad');
			return;
		}
		outcome.tell('Asking for the reset …', 'busy');
		try {
			await write('/api/factory-reset', {boxId: typed, ...code.take()});
			name.input.value = '';
			outcome.tell(
				'The box starts anew and is reset, which takes some minutes. It may have another name and address then; its ' +
					'console shows them.',
				'good',
			);
		} catch (error) {
			outcome.tell(error instanceof Error ? error.message : String(error), 'bad');
		}
	};
	form.addEventListener('submit', (event) => {
		event.preventDefault();
		void reset();
	});
	const element = create(
		'section',
		{class: 'panel reset', 'aria-labelledby': 'reset-title', hidden: true},
		create('h2', {id: 'reset-title'}, 'Reset to factory settings'),
		form,
	);
	return {
		element,
		update: ({box, takesReset}: CommissionState): void => {
			boxId = box.id;
			element.hidden = !takesReset;
		},
	};
};
