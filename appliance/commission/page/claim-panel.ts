import {create, setAttribute, setText} from '../../page/dom.ts';
import type {CommissionState} from '../commission-schema.ts';
import {write} from './api.ts';
import {createClaimFields} from './claim-fields.ts';
import {createCodeField, createOutcome} from './field.ts';

const standing = ({fleet}: CommissionState): readonly [kind: string, text: string] => {
	if (fleet === undefined) {
		return ['unknown', 'This box belongs to no fleet.'];
	}
	if (fleet.enrolled) {
		return fleet.connected ? ['good', 'Enrolled and connected'] : ['bad', 'Enrolled, not connected'];
	}
	const reason =
		fleet.reason ?? 'The box has a claim and asks the fleet for its certificate. If this lasts, bring a new token.';
	return ['bad', `Not enrolled. ${reason}`];
};

export const createClaimPanel = () => {
	const state = create('p', {class: 'standing'});
	const outcome = createOutcome();
	const fields = createClaimFields(outcome);
	const code = createCodeField('claim-code');
	const form = create(
		'form',
		{class: 'form'},
		...fields.elements,
		code.element,
		create('p', {class: 'actions'}, create('button', {type: 'submit', class: 'button'}, 'Enrol this box')),
		outcome.element,
	);
	const bring = async (): Promise<void> => {
		outcome.tell('Checking the claim …', 'busy');
		try {
			const {restarts} = await write<{restarts: boolean}>('/api/claim', {...fields.take(), ...code.take()});
			fields.clear();
			outcome.tell(
				restarts
					? 'Taken. The box starts anew with it; this page is back in a minute.'
					: 'Taken. The box enrols within half a minute.',
				'good',
			);
		} catch (error) {
			outcome.tell(error instanceof Error ? error.message : String(error), 'bad');
		}
	};
	form.addEventListener('submit', (event) => {
		event.preventDefault();
		void bring();
	});
	const element = create(
		'section',
		{class: 'panel claim', 'aria-labelledby': 'claim-title'},
		create('h2', {id: 'claim-title'}, 'Enrolment'),
		state,
		form,
	);
	return {
		element,
		update: (now: CommissionState) => {
			const [kind, words] = standing(now);
			setAttribute(state, 'data-outcome', kind);
			setText(state, words);
			form.hidden = !now.takesClaim;
			fields.update(now);
			code.update(now.codeNeeded);
		},
	};
};
