import type {Agent as HttpsAgent} from 'node:https';
import type {BoxKind} from '#appliance/contract/box-schema.ts';
import type {MaintenanceWindow, UpdateOrder} from '#appliance/contract/fleet/order-schema.ts';
import type {ReleaseManifest} from '#appliance/contract/fleet/release-schema.ts';
import type {UpdateStatus} from '#appliance/contract/fleet/update-schema.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import type {AgentLimits} from '#ota/agent/agent-limits.ts';
import type {AgentStore} from '#ota/agent/agent-store.ts';
import type {ConfirmCheck} from '#ota/agent/check/run-checks.ts';
import type {FetchLimits} from '#ota/agent/fetch/fetch-limits.ts';
import type {OrderOrigin} from '#ota/agent/order-origin.ts';
import type {SlotInstaller} from '#ota/slot/slot-installer.ts';

export type Assignment = {
	readonly origin?: OrderOrigin;
	/** Unix ms after which the order must not begin to be installed (the `exp` of its claims). */
	readonly expiresMs?: number | undefined;
};

/** The update agent of a box: one order at a time, from its assignment to the verdict of the slot that it booted. */
export type Agent = AsyncDisposable & {
	/**
	 * What is wanted now; undefined = no update. The same order again changes nothing. An order that vanishes or is
	 * replaced is aborted as long as its slot was not booted; from then on the box's own checks decide.
	 */
	readonly assign: (update: UpdateOrder | undefined, assignment?: Assignment) => void;
	readonly status: () => UpdateStatus;
};

export type StartAgentOptions = {
	/** The agent's own directory; made if it is not there. */
	readonly stateDirectory: string;
	readonly kind: BoxKind;
	/** What bundles of the manifest must say to be for this hardware. */
	readonly compatible: string;
	readonly format: 'rauc' | 'directory';
	readonly installer: SlotInstaller;
	/** Checks the detached signature (base64 of DER) over the manifest's bytes, then parses it. Throws if it is not good. */
	readonly verify: (signed: {
		readonly manifest: string;
		readonly signature: string;
	}) => ReleaseManifest | Promise<ReleaseManifest>;
	readonly sources: {
		/** Gives the client certificate; a new one after each renewal. */
		readonly httpsAgent: () => HttpsAgent | undefined;
		/** The set-top role's HTTP serve on loopback (`http://127.0.0.1:port`); absent on other kinds. */
		readonly roleUrl?: () => string | undefined;
		/** A bundle that somebody brought, when there is one of this digest. Its bytes are not believed either. */
		readonly broughtBundle?: (sha256: string) => string | undefined;
		/** Devices that hold the images of slots: most blocks of a bundle are in the one that runs. */
		readonly slotPaths?: readonly string[];
		readonly limits?: Partial<FetchLimits>;
	};
	/** What must hold for a booted slot to stay. */
	readonly checks: readonly ConfirmCheck[];
	/** Told at each change of phase, after it is on disk. */
	readonly tell: (status: UpdateStatus) => void;
	/** New at each boot of the box. */
	readonly bootId: string;
	/** The box's IANA time zone, in which windows are meant. */
	readonly timeZone: () => string;
	/** The windows of a box whose order names none. */
	readonly windows?: () => readonly MaintenanceWindow[] | undefined;
	readonly limits?: Partial<AgentLimits>;
	/** Opens the agent's database; tests give one that fails. */
	readonly openStore?: (path: string) => AgentStore;
	readonly clock?: Clock;
	readonly random?: () => number;
	readonly logger: Logger;
	readonly signal: AbortSignal;
};

export type StartAgent = (options: StartAgentOptions) => Promise<Agent>;
