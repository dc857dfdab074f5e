import {setTimeout as delay} from 'node:timers/promises';

const pollIntervalMs = 20;

/** Waits until the condition holds, or fails after the deadline. */
export const poll = async (
	what: string,
	condition: () => boolean | Promise<boolean>,
	deadlineMs = 20_000,
): Promise<void> => {
	const endMs = performance.now() + deadlineMs;
	while (!(await condition())) {
		if (performance.now() > endMs) {
			throw new Error(`Waited ${deadlineMs} ms in vain until ${what}.`);
		}
		await delay(pollIntervalMs);
	}
};
