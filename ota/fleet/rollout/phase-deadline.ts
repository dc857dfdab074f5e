import type {MaintenanceWindow} from '#appliance/contract/fleet/order-schema.ts';
import type {Reason} from '#appliance/contract/fleet/release-schema.ts';
import type {UpdatePhase} from '#appliance/contract/fleet/update-schema.ts';
import type {RolloutSpec} from '#ota/contract/rollout-api.ts';
import {nextWindowStartMs} from '#ota/fleet/rollout/maintenance-window.ts';

/** A phase in which something is still to come; null = the order was given, and the box has said nothing yet. */
export type OpenPhase = Exclude<UpdatePhase, 'idle' | 'confirmed' | 'refused' | 'failed' | 'rolled-back'> | null;

/** When a box that entered this phase now is given up, unless it says more. */
export const phaseDeadlineMs = (
	phase: OpenPhase,
	context: {
		readonly nowMs: number;
		readonly deadlines: RolloutSpec['deadlines'];
		readonly windows: readonly MaintenanceWindow[] | null;
		readonly timeZone: string;
	},
): number => {
	const {deadlines, nowMs} = context;
	switch (phase) {
		case null:
			return nowMs + deadlines.acceptMs + deadlines.graceMs;
		case 'accepted':
		case 'fetching':
			return nowMs + deadlines.fetchMs + deadlines.graceMs;
		case 'verified': {
			// It waits for its window; a box whose windows never open is given up as if it had none.
			const startMs = nextWindowStartMs(context);
			return (Number.isFinite(startMs) ? startMs : nowMs) + deadlines.installMs + deadlines.graceMs;
		}
		case 'installing':
			return nowMs + deadlines.installMs + deadlines.graceMs;
		case 'rebooting':
			return nowMs + deadlines.rebootMs + deadlines.graceMs;
		case 'confirming':
			return nowMs + deadlines.confirmMs + deadlines.graceMs;
	}
};

export type GivenUp = {
	readonly reason: Reason;
	/** Another order may mend it. */
	readonly retryable: boolean;
	/** The order is taken back: nothing was written yet. */
	readonly withdraw: boolean;
};

/** What it means that nothing more was heard in a phase. */
export const givenUpIn = (phase: OpenPhase): GivenUp => {
	switch (phase) {
		case null:
			return {
				reason: {code: 'OTA_ROLLOUT_SILENT', message: 'The box never said that it took the order.'},
				retryable: false,
				withdraw: true,
			};
		case 'accepted':
		case 'fetching':
			return {
				reason: {code: 'OTA_ROLLOUT_FETCH_TIMEOUT', message: 'The bundle was not there in time.'},
				retryable: true,
				withdraw: true,
			};
		case 'verified':
			return {
				reason: {code: 'OTA_ROLLOUT_WINDOW_MISSED', message: 'The box had the bundle and did not install it in time.'},
				retryable: true,
				withdraw: true,
			};
		case 'installing':
			return {
				reason: {code: 'OTA_ROLLOUT_INSTALL_TIMEOUT', message: 'Installing began and nobody heard of its end.'},
				retryable: false,
				withdraw: false,
			};
		case 'rebooting':
		case 'confirming':
			return {
				reason: {code: 'OTA_ROLLOUT_DARK', message: 'The box went dark after its reboot.'},
				retryable: false,
				withdraw: false,
			};
	}
};
