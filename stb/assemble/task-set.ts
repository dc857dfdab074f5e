import type {Logger} from '#appliance/log/logger.ts';

export type TaskSet = {
	/** Lets work go on by itself; a failure that is no abort is logged here, because nobody waits for it. */
	run(work: Promise<unknown>): void;
	/** Resolves when all that runs now has ended. */
	settled(): Promise<void>;
};

export const createTaskSet = ({logger}: {readonly logger: Logger}): TaskSet => {
	const tasks = new Set<Promise<unknown>>();
	return {
		run: (work) => {
			const task = work
				.catch((error: unknown) => {
					if (!(error instanceof Error && error.name === 'AbortError')) {
						logger.error({err: error}, 'work on an arriving object failed');
					}
				})
				.finally(() => tasks.delete(task));
			tasks.add(task);
		},
		settled: async () => {
			await Promise.all(tasks);
		},
	};
};
