/** Runs tasks one after the other; a task that fails fails its caller only. */
export type SerialQueue = <Result>(task: () => Promise<Result>) => Promise<Result>;

export const createSerialQueue = (): SerialQueue => {
	let tail: Promise<unknown> = Promise.resolve();
	return (task) => {
		const result = tail.then(task);
		tail = result.catch(() => undefined);
		return result;
	};
};
