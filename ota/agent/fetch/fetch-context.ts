import type {Agent} from 'node:https';
import type {Bundle} from '#appliance/contract/fleet/release-schema.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import type {FetchLimits} from '#ota/agent/fetch/fetch-limits.ts';
import type {PartFile} from '#ota/agent/fetch/part-file.ts';

/** What every source of a bundle works with. */
export type FetchContext = {
	readonly bundle: Bundle;
	readonly part: PartFile;
	readonly httpsAgent: () => Agent | undefined;
	readonly roleUrl: () => string | undefined;
	readonly broughtBundle?: ((sha256: string) => string | undefined) | undefined;
	/** Files and devices on this box whose blocks may be those that lack: a bundle that was kept, the slots. */
	readonly local: readonly string[];
	readonly limits: FetchLimits;
	readonly clock: Clock;
	readonly random: () => number;
	readonly logger: Logger;
	readonly signal: AbortSignal;
};
