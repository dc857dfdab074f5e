import {type DeviceRequest, openRequest} from '#appliance/diagnostics/upload/request-device.ts';

const speedTimeoutMs = 30_000;

export type SpeedResult = {
	readonly bytes: number;
	readonly tookMs: number;
	readonly firstByteMs: number;
	readonly rateBps: number;
	readonly status: number;
};

/** Fetches at most so many bytes, for at most half a minute, and tells how quickly they came. */
export const testSpeed = async (
	{url, bytesMax}: {readonly url: string; readonly bytesMax: number},
	{tls, signal}: {readonly tls: DeviceRequest['tls']; readonly signal: AbortSignal},
): Promise<SpeedResult> => {
	const startedMs = performance.now();
	const message = await openRequest({url, method: 'GET', tls, signal, timeoutMs: speedTimeoutMs});
	const firstByteMs = performance.now() - startedMs;
	let bytes = 0;
	try {
		for await (const chunk of message as AsyncIterable<Buffer>) {
			bytes += chunk.length;
			if (bytes >= bytesMax || performance.now() - startedMs >= speedTimeoutMs) {
				break;
			}
		}
	} finally {
		message.destroy();
	}
	const tookMs = Math.max(1, performance.now() - startedMs);
	return {
		...{bytes, tookMs: Math.round(tookMs), firstByteMs: Math.round(firstByteMs)},
		rateBps: Math.round((bytes * 8000) / tookMs),
		status: message.statusCode ?? 0,
	};
};
