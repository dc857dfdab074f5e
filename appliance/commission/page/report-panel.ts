import type {CommissionReport, Dish} from '#appliance/contract/fleet/commission-report-schema.ts';
import {create, setText} from '../../page/dom.ts';
import type {CommissionState} from '../commission-schema.ts';
import {write} from './api.ts';
import {createCodeField, createField, createOutcome} from './field.ts';

const when = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** The sheet is this page itself under the style sheet for paper, so what is printed is what was seen. */
export const createReportPanel = (dish: () => Dish | undefined) => {
	const technician = createField({label: 'Your name', name: 'technician', attributes: {maxlength: 80}});
	const note = create('textarea', {id: 'report-note', rows: 3, maxlength: 500});
	const kept = create('p', {class: 'soft'});
	const code = createCodeField('report-code');
	const outcome = createOutcome();
	const print = create('button', {type: 'button', class: 'button quiet'}, 'Print');
	const form = create(
		'form',
		{class: 'form'},
		technician.element,
		create('p', {class: 'field'}, create('label', {for: 'report-note'}, 'Remarks'), note),
		code.element,
		create(
			'p',
			{class: 'actions'},
			create('button', {type: 'submit', class: 'button'}, 'Store and send the report'),
			print,
		),
		outcome.element,
	);
	form.addEventListener('submit', (event) => {
		event.preventDefault();
		const said = {technician: technician.input.value, note: note.value, ...code.take()};
		const place = dish();
		outcome.tell('Storing …', 'busy');
		void write<CommissionReport>('/api/report', {...said, ...(place && {dish: place})}).then(
			() => outcome.tell('The report is stored on the box.', 'good'),
			(error: unknown) => outcome.tell(error instanceof Error ? error.message : String(error), 'bad'),
		);
	});
	print.addEventListener('click', () => window.print());
	const element = create(
		'section',
		{class: 'panel report', 'aria-labelledby': 'report-title'},
		create('h2', {id: 'report-title'}, 'Commissioning report'),
		form,
		kept,
	);
	return {
		element,
		update: ({report, codeNeeded}: CommissionState) => {
			code.update(codeNeeded);
			if (report === undefined) {
				setText(kept, 'No report was stored on this box yet.');
				return;
			}
			const {atMs, technician: name} = report.report;
			const told = report.told ? 'The fleet has it.' : 'The fleet hears of it when the box is connected.';
			setText(kept, `Last report: ${when(atMs)}${name === '' ? '' : `, ${name}`}. ${told}`);
		},
	};
};
