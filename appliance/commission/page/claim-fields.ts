import {create} from '../../page/dom.ts';
import type {BroughtClaim, CommissionState} from '../commission-schema.ts';
import {createField, type createOutcome} from './field.ts';
import {readCode} from './read-code.ts';

/** As the box itself bounds a claim. */
const claimCharsMax = 64 * 1024;
const tokenCharsMax = 512;

const parse = (text: string): unknown => {
	try {
		return JSON.parse(text);
	} catch (cause) {
		throw new Error('This is not a claim: a claim begins with { and ends with }. Copy the whole file.', {cause});
	}
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The ways in which a claim, or a token for the claim that the box has, comes into the form: each fills one of two fields. */
export const createClaimFields = ({tell}: Pick<ReturnType<typeof createOutcome>, 'tell'>) => {
	const claim = create('textarea', {
		...{id: 'claim-text', rows: 4, spellcheck: 'false', autocomplete: 'off', maxlength: claimCharsMax},
		placeholder: 'Paste the claim here',
	});
	const file = create('input', {type: 'file', id: 'claim-file', accept: '.json,application/json'});
	const token = createField({
		...{label: 'Or a token alone', name: 'claim-token', hint: 'This box has a claim: a new token for it is enough.'},
		attributes: {maxlength: tokenCharsMax, spellcheck: 'false', autocapitalize: 'none'},
	});
	const photograph = createField({
		...{label: 'Photograph a QR code', name: 'claim-photograph', hint: 'As the console shows or prints it.'},
		attributes: {type: 'file', accept: 'image/*', capture: 'environment'},
	});
	token.element.hidden = true;
	/** What came last counts, so that nothing older is sent with it. */
	const fill = (text: string): void => {
		const isClaim = text.trimStart().startsWith('{');
		if (!isClaim && token.element.hidden) {
			throw new Error(
				'This is a token alone, which helps a box that has a claim and is not enrolled. Bring the whole claim.',
			);
		}
		claim.value = isClaim ? text : '';
		token.input.value = isClaim ? '' : text;
	};
	const look = async (picture: Blob): Promise<void> => {
		tell('Looking for a code …', 'busy');
		try {
			fill(await readCode(picture));
			tell('The code is read. Now press “Enrol this box”.', 'good');
		} catch (error) {
			tell(messageOf(error), 'bad');
		}
		// The same picture may be chosen again, after the box has its claim.
		photograph.input.value = '';
	};
	file.addEventListener('change', () => {
		const [chosen] = file.files ?? [];
		if (chosen !== undefined && chosen.size > claimCharsMax) {
			tell('This file is too large to be a claim.', 'bad');
			return;
		}
		void chosen?.text().then((content) => {
			claim.value = content;
			token.input.value = '';
		});
	});
	photograph.input.addEventListener('change', () => {
		const [chosen] = photograph.input.files ?? [];
		if (chosen !== undefined) {
			void look(chosen);
		}
	});
	return {
		elements: [
			create('label', {for: 'claim-text'}, 'Claim from the console'),
			claim,
			create('p', {class: 'field'}, create('label', {for: 'claim-file'}, 'Or its file'), file),
			token.element,
			photograph.element,
		],
		/** Throws a sentence where it is neither. */
		take: (): BroughtClaim =>
			claim.value.trim() === '' && token.input.value !== '' ? {token: token.input.value} : {claim: parse(claim.value)},
		clear: (): void => {
			for (const input of [claim, file, token.input]) {
				input.value = '';
			}
		},
		update: ({takesToken}: CommissionState): void => {
			token.element.hidden = !takesToken;
		},
	};
};
