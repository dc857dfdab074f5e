import {createHash} from 'node:crypto';
import type {BoxEvent} from '#appliance/contract/fleet/spool-schema.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {refusalsPerHour} from '#appliance/mqtt/link-limits.ts';
import type {Clock} from '#appliance/time/clock.ts';

export type RefusalTeller = {
	/** `what` is what was refused; the same again is not told again. */
	readonly tell: (what: string, refusal: {readonly code: string; readonly message: string}) => void;
	/** Whether one more may be answered within this hour. */
	readonly mayTell: () => boolean;
};

const hourMs = 3_600_000;

/** Tells refused orders as events, so few that whoever can send us rubbish cannot fill the spool with it. */
export const createRefusalTeller = (options: {
	readonly clock: Clock;
	readonly logger: Logger;
	readonly tellEvent: (event: BoxEvent) => void;
}): RefusalTeller => {
	const {clock, logger, tellEvent} = options;
	/** Digests of what was told within the hour, and how many tellings it had. */
	let told = new Set<string>();
	let count = 0;
	let sinceMs = clock.monotonicMs();
	const mayTell = (): boolean => {
		if (clock.monotonicMs() - sinceMs > hourMs) {
			sinceMs = clock.monotonicMs();
			told = new Set();
			count = 0;
		}
		count += 1;
		return count <= refusalsPerHour;
	};
	return {
		mayTell,
		tell: (what, {code, message}) => {
			logger.debug({code, message}, 'an order was refused');
			const digest = createHash('sha256').update(what).digest('base64');
			if (!told.has(digest) && mayTell()) {
				told.add(digest);
				tellEvent({kind: 'order-refused', data: {code, message: message.slice(0, 1024)}});
			}
		},
	};
};
