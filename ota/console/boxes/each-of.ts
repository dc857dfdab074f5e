const atOnce = 4;

/** Does one thing to each, a few at a time; answers what went wrong. */
export const eachOf = async <Item>(
	items: readonly Item[],
	work: (item: Item) => Promise<unknown>,
): Promise<readonly unknown[]> => {
	const failures: unknown[] = [];
	const left = items.values();
	const worker = async (): Promise<void> => {
		for (const item of left) {
			try {
				await work(item);
			} catch (error) {
				failures.push(error);
			}
		}
	};
	await Promise.all(Array.from({length: atOnce}, worker));
	return failures;
};
