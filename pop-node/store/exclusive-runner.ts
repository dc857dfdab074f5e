/** Runs what it is given one after the other, in the order of the calls; a failure is its caller's alone. */
export const createExclusiveRunner = (): (<Result>(change: () => Promise<Result>) => Promise<Result>) => {
	let tail: Promise<unknown> = Promise.resolve();
	return (change) => {
		const result = tail.then(change);
		tail = result.catch(() => undefined);
		return result;
	};
};
