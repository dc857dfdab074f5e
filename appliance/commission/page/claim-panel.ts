import {create, setAttribute, setText} from '../../page/dom.ts';
import type {CommissionState} from '../commission-schema.ts';
import {write} from './api.ts';
import {createCodeField, createOutcome} from './field.ts';
import {canScan, scanCode} from './scan-code.ts';

/** As the box itself bounds a claim. */
const claimCharsMax = 64 * 1024;

const standing = ({fleet}: CommissionState): readonly [kind: string, text: string] => {
	if (fleet === undefined) {
		return ['unknown', 'This box belongs to no fleet.'];
	}
	if (fleet.enrolled) {
		return fleet.connected ? ['good', 'Enrolled and connected'] : ['bad', 'Enrolled, not connected'];
	}
	return ['bad', `Not enrolled. ${fleet.reason ?? 'The box has a claim and asks the fleet for its certificate.'}`];
};

const parse = (text: string): unknown => {
	try {
		return JSON.parse(text);
	} catch (cause) {
		throw new Error('This is not a claim: a claim begins with { and ends with }. Copy the whole file.', {cause});
	}
};

export const createClaimPanel = () => {
	const state = create('p', {class: 'standing'});
	const text = create('textarea', {
		...{id: 'claim-text', rows: 4, spellcheck: 'false', autocomplete: 'off', maxlength: claimCharsMax},
		placeholder: 'Paste the claim here',
	});
	const file = create('input', {type: 'file', id: 'claim-file', accept: '.json,application/json'});
	const video = create('video', {class: 'camera', muted: true, playsinline: true, hidden: true});
	const scan = create('button', {type: 'button', class: 'button quiet', hidden: !canScan()}, 'Scan a QR code');
	const code = createCodeField('claim-code');
	const outcome = createOutcome();
	const form = create(
		'form',
		{class: 'form'},
		create('label', {for: 'claim-text'}, 'Claim from the console'),
		text,
		create('p', {class: 'field'}, create('label', {for: 'claim-file'}, 'Or its file'), file),
		video,
		code.element,
		create('p', {class: 'actions'}, create('button', {type: 'submit', class: 'button'}, 'Enrol this box'), scan),
		outcome.element,
	);
	const bring = async (): Promise<void> => {
		outcome.tell('Checking the claim …', 'busy');
		try {
			const {restarts} = await write<{restarts: boolean}>('/api/claim', {...code.take(), claim: parse(text.value)});
			text.value = '';
			file.value = '';
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
	file.addEventListener('change', () => {
		const [chosen] = file.files ?? [];
		if (chosen !== undefined && chosen.size > claimCharsMax) {
			outcome.tell('This file is too large to be a claim.', 'bad');
			return;
		}
		void chosen?.text().then((content) => {
			text.value = content;
		});
	});
	scan.addEventListener('click', () => {
		video.hidden = false;
		const scanned = scanCode(video, {signal: new AbortController().signal});
		void scanned
			.then(
				(content) => {
					text.value = content;
				},
				() => outcome.tell('No code was seen.', 'bad'),
			)
			.finally(() => {
				video.hidden = true;
			});
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
			code.update(now.codeNeeded);
		},
	};
};
