import {sleep} from '#appliance/time/sleep.ts';

/**
 * Asks again until the answer is neither undefined nor false, and fails after the deadline with what was awaited. A
 * thrown error counts as not yet, and is the failure's cause.
 */
export const eventually = async <Answer>(
	what: string,
	ask: () => Promise<Answer | undefined | false> | Answer | undefined | false,
	{timeoutMs = 30_000, intervalMs = 20}: {readonly timeoutMs?: number; readonly intervalMs?: number} = {},
): Promise<Answer> => {
	const deadlineMs = performance.now() + timeoutMs;
	let cause: unknown;
	while (performance.now() < deadlineMs) {
		try {
			const answer = await ask();
			if (answer !== undefined && answer !== false) {
				return answer;
			}
			cause = undefined;
		} catch (error) {
			cause = error;
		}
		await sleep(intervalMs);
	}
	throw new Error(`not within ${timeoutMs} ms: ${what}`, {cause});
};
