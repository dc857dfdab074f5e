/** A row that lives as long as its key does, so that focus, hover and transitions survive every update. */
export type ListRow<Item> = {readonly element: HTMLElement; readonly update: (item: Item) => void};

/** Keeps a container's children equal to a list: creates, updates, moves and removes as few as it can. */
export const keyedList = <Item>(
	container: Element,
	options: {readonly keyOf: (item: Item) => string; readonly create: (item: Item) => ListRow<Item>},
): ((items: readonly Item[]) => void) => {
	const rows = new Map<string, ListRow<Item>>();
	return (items) => {
		const wanted = new Set(items.map((item) => options.keyOf(item)));
		for (const [key, row] of rows) {
			if (!wanted.has(key)) {
				row.element.remove();
				rows.delete(key);
			}
		}
		let place = container.firstElementChild;
		for (const item of items) {
			const key = options.keyOf(item);
			const row = rows.get(key) ?? options.create(item);
			rows.set(key, row);
			row.update(item);
			if (row.element === place) {
				place = place.nextElementSibling;
			} else {
				container.insertBefore(row.element, place);
			}
		}
	};
};
