const cardsOf = (row: Element): readonly HTMLElement[] => [...row.querySelectorAll<HTMLElement>('button.card')];

const centreX = (element: Element): number => {
	const {left, width} = element.getBoundingClientRect();
	return left + width / 2;
};

/**
 * Moves the focus by the arrows of a remote control: along a row, and to the nearest card of the next row. Each row is
 * one tab stop, so that Tab still walks the page in a few steps.
 */
export const navigateByArrows = (container: HTMLElement): void => {
	const rows = (): readonly Element[] =>
		[...container.querySelectorAll('[data-row]')].filter((row) => cardsOf(row).length > 0);

	const focus = (card: HTMLElement | undefined): void => {
		if (card === undefined) {
			return;
		}
		for (const other of card.closest('[data-row]')?.querySelectorAll<HTMLElement>('button.card') ?? []) {
			other.tabIndex = other === card ? 0 : -1;
		}
		card.focus({preventScroll: true});
		const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
		card.scrollIntoView({block: 'nearest', inline: 'center', behavior: calm ? 'instant' : 'smooth'});
	};

	const move = (from: HTMLElement | undefined, key: string): HTMLElement | undefined => {
		const all = rows();
		const row = from?.closest('[data-row]');
		if (from === undefined || row === null || row === undefined) {
			return cardsOf(all[0] ?? container)[0];
		}
		const cards = cardsOf(row);
		if (key === 'ArrowLeft' || key === 'ArrowRight') {
			return cards[cards.indexOf(from) + (key === 'ArrowRight' ? 1 : -1)];
		}
		const next = all[all.indexOf(row) + (key === 'ArrowDown' ? 1 : -1)];
		const x = centreX(from);
		return next === undefined
			? undefined
			: cardsOf(next).toSorted((a, b) => Math.abs(centreX(a) - x) - Math.abs(centreX(b) - x))[0];
	};

	document.addEventListener('keydown', (event) => {
		const arrows = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'];
		if (!arrows.includes(event.key) || event.altKey || event.ctrlKey || event.metaKey) {
			return;
		}
		// An open dialog has the arrows for itself.
		if (document.querySelector('dialog[open]') !== null) {
			return;
		}
		const active = document.activeElement;
		const card = active instanceof HTMLElement && active.matches('button.card') ? active : undefined;
		const target = move(card, event.key);
		if (target !== undefined || card !== undefined) {
			event.preventDefault();
		}
		if (target === undefined && event.key === 'ArrowUp') {
			scrollTo({top: 0});
		}
		if (target === undefined && event.key === 'ArrowDown') {
			scrollBy({top: innerHeight / 2});
		}
		focus(target);
	});
};

/** Lets Tab reach a row whose focused card went away. */
export const repairTabStops = (container: HTMLElement): void => {
	for (const row of container.querySelectorAll('[data-row]')) {
		const cards = cardsOf(row);
		if (cards[0] !== undefined && !cards.some((card) => card.tabIndex === 0)) {
			cards[0].tabIndex = 0;
		}
	}
};
