import {setTimeout as sleep} from 'node:timers/promises';
import type {SignalStatistics, Tuner} from './tuner.ts';

/** Drivers look at their chip some ten times a second. */
const lookIntervalMs = 50;

/** Looks until the tuner is locked; `lockMs` is absent when the time is over. */
export const waitForLock = async (
	tuner: Pick<Tuner, 'statistics'>,
	{timeoutMs, signal}: {readonly timeoutMs: number; readonly signal: AbortSignal},
): Promise<{readonly lockMs?: number; readonly statistics: SignalStatistics}> => {
	const startedMs = performance.now();
	while (true) {
		const statistics = await tuner.statistics();
		const waitedMs = performance.now() - startedMs;
		if (statistics.locked) {
			return {lockMs: waitedMs, statistics};
		}
		if (waitedMs >= timeoutMs) {
			return {statistics};
		}
		await sleep(lookIntervalMs, undefined, {signal}).catch(() => signal.throwIfAborted());
	}
};
