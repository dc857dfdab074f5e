import type {DiagnosticsErrorCode} from '#appliance/diagnostics/error-code.ts';
import {type DeviceRequest, openRequest} from '#appliance/diagnostics/upload/request-device.ts';
import {CodedError} from '#appliance/error/coded-error.ts';

/** Shorter than a command that names no deadline of its own may take. */
const speedTimeoutMs = 20_000;
/** A timer of Node's may be this much early by the finer clock. */
const timerSlackMs = 2;

export type SpeedResult = {
	readonly bytes: number;
	readonly tookMs: number;
	readonly firstByteMs: number;
	readonly rateBps: number;
};

/**
 * Fetches at most so many bytes, for at most 20 seconds, and tells how quickly they came.
 * @throws CodedError DIAGNOSTICS_COMMAND_FAILED when the server gives something else than what was asked for
 */
export const testSpeed = async (
	{url, bytesMax}: {readonly url: string; readonly bytesMax: number},
	{
		tls,
		signal,
		timeoutMs = speedTimeoutMs,
	}: {readonly tls: DeviceRequest['tls']; readonly signal: AbortSignal; readonly timeoutMs?: number},
): Promise<SpeedResult> => {
	const startedMs = performance.now();
	const message = await openRequest({url, method: 'GET', tls, signal, timeoutMs});
	const firstByteMs = performance.now() - startedMs;
	const status = message.statusCode ?? 0;
	let bytes = 0;
	try {
		if (status < 200 || status > 299) {
			throw new CodedError<DiagnosticsErrorCode>('DIAGNOSTICS_COMMAND_FAILED', {
				message: `${new URL(url).host} answered ${status}: nothing was measured.`,
				details: {status},
			});
		}
		for await (const chunk of message as AsyncIterable<Buffer>) {
			bytes += chunk.length;
			if (bytes >= bytesMax) {
				break;
			}
		}
	} catch (error) {
		// What came before the time was up is what was asked for; a line that brought nothing is no measure.
		if (signal.aborted || bytes === 0 || performance.now() - startedMs < timeoutMs - timerSlackMs) {
			throw error;
		}
	} finally {
		message.destroy();
	}
	const tookMs = Math.max(1, performance.now() - startedMs);
	return {
		...{bytes, tookMs: Math.round(tookMs), firstByteMs: Math.round(firstByteMs)},
		rateBps: Math.round((bytes * 8000) / tookMs),
	};
};
