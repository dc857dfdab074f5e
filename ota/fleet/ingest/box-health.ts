import type {Reported} from '#appliance/contract/fleet/reported-schema.ts';
import type {boxHealths} from '#ota/contract/box-api.ts';

export type BoxHealth = (typeof boxHealths)[number];

/** From here on a certificate that was not renewed is worth a look. */
export const certificateWarningMs = 7 * 86_400_000;

/** What the report alone says. */
export const reportHealth = (reported: Reported, nowMs: number): BoxHealth => {
	if (!reported.healthy || reported.services.some((service) => service.mustRun && service.crashLoop)) {
		return 'critical';
	}
	const isOdd =
		reported.services.some(({crashLoop}) => crashLoop) ||
		reported.update.phase === 'failed' ||
		reported.update.phase === 'rolled-back' ||
		reported.config.refused !== undefined ||
		reported.certificate.notAfterMs - nowMs < certificateWarningMs;
	return isOdd ? 'warning' : 'ok';
};

const badness: Readonly<Record<string, number>> = {ok: 0, warning: 1, critical: 2};

/**
 * The worse of the report and the alarms. Of a box that is not there, a good report says nothing any more; a bad one is
 * still the best guess.
 */
export const boxHealth = (facts: {
	readonly report: string;
	readonly alarm: string;
	readonly presence: string;
}): BoxHealth => {
	const worst = Math.max(badness[facts.report] ?? 0, badness[facts.alarm] ?? 0);
	if (worst > 0) {
		return worst === 2 ? 'critical' : 'warning';
	}
	return facts.report === 'unknown' || facts.presence !== 'online' ? 'unknown' : 'ok';
};
