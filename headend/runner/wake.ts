import {sleep} from '#appliance/time/sleep.ts';

/** Lets callbacks wake a runner that waits; wakes that come while it works are not lost, and are one. */
export class Wake {
	#pending = Promise.withResolvers<void>();

	wake(): void {
		this.#pending.resolve();
	}

	/** Waits, and counts as woken afterwards. */
	async rest({durationMs, signal}: {readonly durationMs: number; readonly signal: AbortSignal}): Promise<void> {
		await sleep(durationMs, {signal});
		this.wake();
	}

	/** Until somebody wakes it or the time is over; rejects with the signal's reason. */
	async wait({timeoutMs, signal}: {readonly timeoutMs: number; readonly signal: AbortSignal}): Promise<void> {
		const awake = new AbortController();
		try {
			await Promise.race([this.#pending.promise, sleep(timeoutMs, {signal: AbortSignal.any([signal, awake.signal])})]);
			signal.throwIfAborted();
		} finally {
			awake.abort();
			this.#pending = Promise.withResolvers<void>();
		}
	}
}
