/** Work that any number of callers share, by key. */
export type Collapse = {
	readonly run: <Result>(key: string, start: () => Promise<Result>) => Promise<Result>;
	readonly isRunning: (key: string) => boolean;
};

export const createCollapse = ({onFailure}: {readonly onFailure: () => void}): Collapse => {
	const running = new Map<string, Promise<unknown>>();
	return {
		run: <Result>(key: string, start: () => Promise<Result>): Promise<Result> => {
			const joined = running.get(key) as Promise<Result> | undefined;
			if (joined !== undefined) {
				return joined;
			}
			const started = start()
				.catch((error: unknown) => {
					onFailure();
					throw error;
				})
				.finally(() => running.delete(key));
			running.set(key, started);
			return started;
		},
		isRunning: (key) => running.has(key),
	};
};
