import {create, setAttribute, setText} from '../../page/dom.ts';
import type {Aim, CommissionState, Signal} from '../commission-schema.ts';
import {lockRatio, type Reading, readAim, readErrors, readLevel, readNoise} from './signal-scale.ts';
import {createSignalTone} from './signal-tone.ts';

/** `lineAt` is where a long bar begins to mean something else. */
const createBar = (name: string, lineAt?: number) => {
	const value = create('strong', {class: 'bar-value'});
	const fill = create('div', {class: 'bar-fill'});
	const peak = create('div', {class: 'bar-peak'});
	const track = create(
		'div',
		{class: 'bar', role: 'meter', 'aria-label': name, 'aria-valuemin': 0, 'aria-valuemax': 100},
		fill,
		peak,
	);
	if (lineAt !== undefined) {
		const line = create('div', {class: 'bar-line'});
		line.style.setProperty('--ratio', String(lineAt));
		track.append(line);
	}
	const element = create(
		'div',
		{class: lineAt === undefined ? 'bar-row' : 'bar-row aim'},
		create('span', {class: 'bar-name'}, name),
		value,
		track,
	);
	let best = 0;
	return {
		element,
		update: (reading: Reading | undefined) => {
			const ratio = reading?.ratio ?? 0;
			best = Math.max(best, ratio);
			setText(value, reading?.text ?? 'not told');
			setAttribute(element, 'data-told', reading !== undefined);
			setAttribute(track, 'aria-valuenow', Math.round(ratio * 100));
			setAttribute(track, 'aria-valuetext', reading?.text ?? 'not told');
			fill.style.setProperty('--ratio', ratio.toFixed(3));
			peak.style.setProperty('--ratio', best.toFixed(3));
		},
		forgetBest: () => {
			best = 0;
		},
	};
};

const wordsOf = (isLocked: boolean, aim: Aim | undefined): [kind: string, words: string] => {
	if (!isLocked) {
		return ['searching', 'No lock'];
	}
	return aim?.isOurs === false ? ['foreign', 'Locked, not ours yet'] : ['locked', 'Locked'];
};

const placeOf = (aim: Aim | undefined): string => {
	if (aim?.carrier === undefined) {
		return '';
	}
	const {frequencyKhz, polarization, symbolRate} = aim.carrier;
	const [megahertz, megasymbols] = [frequencyKhz / 1000, symbolRate / 1e6].map((value) => value.toLocaleString('en'));
	const margin =
		aim.marginDb === undefined ? '' : `, ${aim.marginDb.toFixed(1).replace('-', '−')} dB above what it needs`;
	return ` at ${megahertz} MHz ${polarization}, ${megasymbols} Msym/s${margin}`;
};

/** Large enough to be read from behind the dish, with a tone for whoever looks at the dish instead. */
export const createSignalPanel = () => {
	const tone = createSignalTone();
	const lock = create('p', {class: 'lock', role: 'status'});
	const source = create('p', {class: 'soft'});
	const bars = {
		aim: createBar('Aim', lockRatio),
		noise: createBar('C/N'),
		level: createBar('Level'),
		errors: createBar('Bit errors'),
	};
	const sound = create('button', {type: 'button', class: 'button', 'aria-pressed': 'false'}, 'Tone on');
	const again = create('button', {type: 'button', class: 'button quiet'}, 'Forget the best');
	const meters = create(
		'div',
		{class: 'bars'},
		...Object.values(bars).map(({element}) => element),
		create(
			'p',
			{class: 'soft legend'},
			'The tone plays the aim: beyond its line there is a lock. A coloured mark is the best so far.',
		),
		create('p', {class: 'actions'}, sound, again),
	);
	const element = create(
		'section',
		{class: 'panel signal', 'aria-labelledby': 'signal-title'},
		create('h2', {id: 'signal-title'}, 'Signal'),
		lock,
		meters,
		source,
	);
	sound.addEventListener('click', () => {
		void tone.toggle().then((sounds) => {
			setAttribute(sound, 'aria-pressed', String(sounds));
			setText(sound, sounds ? 'Tone off' : 'Tone on');
		});
	});
	again.addEventListener('click', () => {
		for (const bar of Object.values(bars)) {
			bar.forgetBest();
		}
	});
	const tell = (kind: string, words: string, detail: string): void => {
		lock.dataset['kind'] = kind;
		setText(lock, words);
		setText(source, detail);
		meters.hidden = kind === 'none' || kind === 'lost';
	};
	return {
		element,
		sounds: tone.sounds,
		update: ({box}: CommissionState) => {
			element.hidden = box.kind !== 'stb';
		},
		show: ({tuner, aim}: Signal) => {
			const aimed = tuner && readAim(tuner);
			tone.follow(aimed?.ratio);
			if (tuner === undefined) {
				tell(
					'none',
					'No tuner',
					'No tuner reports to this box, so nothing is measured. Its satellite comes over the network.',
				);
				return;
			}
			bars.aim.update(aimed);
			bars.noise.update(readNoise(tuner));
			bars.level.update(readLevel(tuner));
			bars.errors.update(readErrors(tuner));
			tell(...wordsOf(tuner.locked, aim), `Tuner ${tuner.name}${placeOf(aim)}.`);
		},
		lose: () => {
			tone.follow(undefined);
			tell('lost', 'No answer', 'The box does not answer; what was measured last is not shown.');
		},
	};
};
