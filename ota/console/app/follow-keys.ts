import {go} from '../state/router.ts';
import {places} from './place.ts';

/** The second key must follow the first within this. */
const sequenceMs = 1200;

const isTyping = (target: EventTarget | null): boolean =>
	target instanceof HTMLElement &&
	(target.isContentEditable ||
		target.closest('input:not([type="checkbox"]), textarea, select, .xterm, dialog') !== null);

/** Shortcuts of the whole console; none while a person types. */
export const followKeys = (onHelp: () => void): (() => void) => {
	let goPressedAt = Number.NEGATIVE_INFINITY;
	const onKeyDown = (event: KeyboardEvent): void => {
		if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) {
			return;
		}
		if (event.timeStamp - goPressedAt < sequenceMs) {
			const place = places.find(({key}) => key === event.key);
			goPressedAt = Number.NEGATIVE_INFINITY;
			if (place !== undefined) {
				event.preventDefault();
				go(place.path);
			}
			return;
		}
		switch (event.key) {
			case 'g':
				goPressedAt = event.timeStamp;
				return;
			case '?':
				event.preventDefault();
				onHelp();
				return;
			case '/':
				event.preventDefault();
				search();
				return;
			default:
		}
	};
	addEventListener('keydown', onKeyDown);
	return () => removeEventListener('keydown', onKeyDown);
};

/** To the page's own search, or to that of the boxes. */
const search = (): void => {
	const focus = (): boolean => {
		const input = document.querySelector<HTMLElement>('[data-search]');
		input?.focus();
		return input !== null;
	};
	if (!focus()) {
		go('/boxes');
		requestAnimationFrame(() => requestAnimationFrame(focus));
	}
};
