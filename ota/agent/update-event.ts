import type {UpdateOrder} from '#appliance/contract/fleet/order-schema.ts';
import type {Reason} from '#appliance/contract/fleet/release-schema.ts';
import type {FetchedBytes} from '#appliance/contract/fleet/update-schema.ts';
import type {OrderOrigin} from '#ota/agent/order-origin.ts';
import type {BootVerdict} from '#ota/slot/slot-installer.ts';

export type UpdateEvent =
	| {
			readonly kind: 'assigned';
			readonly order: UpdateOrder;
			readonly origin: OrderOrigin;
			readonly expiresMs: number | undefined;
	  }
	/** The order is no longer wanted. */
	| {readonly kind: 'withdrawn'}
	/** The agent has started, and looked at what the box booted. */
	| {
			readonly kind: 'started';
			readonly verdict: BootVerdict;
			/** More bytes are there than the last start saw. */
			readonly bytes: FetchedBytes;
	  }
	/** The agent has started, and the installer does not tell what was booted. */
	| {readonly kind: 'unobservable'; readonly detail: string}
	| {readonly kind: 'judged'; readonly running: boolean}
	| {readonly kind: 'refused'; readonly reason: Reason}
	| {readonly kind: 'due'}
	| {readonly kind: 'fetched'; readonly bytes: FetchedBytes}
	| {readonly kind: 'window-open'; readonly bootedSlot: string}
	| {readonly kind: 'installed'}
	| {readonly kind: 'cancelled'}
	| {readonly kind: 'checked'}
	| {readonly kind: 'marked-good'}
	/** What the state was about did not work. */
	| {readonly kind: 'failed'; readonly reason: Reason; readonly retryable: boolean; readonly bytes?: FetchedBytes};

/** What is to be done now; one at a time, and the one before is given up. */
export type UpdateEffect =
	| {readonly kind: 'judge'}
	| {readonly kind: 'wait-until-due'}
	| {readonly kind: 'fetch'}
	| {readonly kind: 'await-window'}
	| {readonly kind: 'install'}
	| {readonly kind: 'cancel'}
	| {readonly kind: 'reboot'}
	| {readonly kind: 'check'}
	| {readonly kind: 'mark-good'}
	/** Marks the booted slot bad, and reboots. */
	| {readonly kind: 'revert'}
	/** Removes what was fetched; a confirmed release's bundle is kept for the next one's blocks. */
	| {readonly kind: 'clean'; readonly keep: boolean};
