import type {TimeFacts} from '#appliance/commission/commission-schema.ts';
import {toolText} from '#appliance/diagnostics/run-tool.ts';
import type {Clock} from '#appliance/time/clock.ts';

const trackingBytesMax = 4096;
const trackingTimeoutMs = 2000;

/** What chrony knows of the box's clock; without chrony only the clock itself. */
export const readTime = async (options: {readonly clock: Clock; readonly signal: AbortSignal}): Promise<TimeFacts> => {
	const signal = AbortSignal.any([options.signal, AbortSignal.timeout(trackingTimeoutMs)]);
	const csv = await toolText('chronyc', {
		args: ['-c', 'tracking'],
		bytesMax: trackingBytesMax,
		signal,
	}).catch(() => '');
	return {nowMs: Math.round(options.clock.nowMs()), ...parseTracking(csv)};
};

/**
 * `chronyc -c tracking`: reference, its name, stratum, reference time, the clock's offset in seconds, …, leap status, which is `Not synchronised` until a source was chosen.
 */
export const parseTracking = (csv: string): Omit<TimeFacts, 'nowMs'> => {
	const fields = csv.trim().split(',');
	const leap = fields[13];
	if (leap === undefined) {
		return {};
	}
	const synchronised = leap !== 'Not synchronised';
	const offset = Number(fields[4]);
	return {
		synchronised,
		...(synchronised && fields[1] ? {source: fields[1].slice(0, 128)} : {}),
		...(synchronised && Number.isFinite(offset) ? {offsetSeconds: Math.abs(offset)} : {}),
	};
};
