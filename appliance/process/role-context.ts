import type {BoxKind, DeviceId} from '#appliance/contract/box-schema.ts';
import type {PlaybackReport} from '#appliance/contract/playback-report.ts';
import type {Logger} from '#appliance/log/logger.ts';

/** What a role is started with; tests make one by hand, `runRole` makes it from the box's file. */
export type RoleContext<Config> = {
	readonly box: {readonly id: DeviceId; readonly kind: BoxKind; readonly stateDirectory: string};
	readonly config: Config;
	readonly logger: Logger;
	/** Aborts when the role must stop; disposal follows. */
	readonly signal: AbortSignal;
	/** Passes a player's report on to the fleet, if there is one. */
	readonly tellPlayback?: (report: PlaybackReport) => void;
};

/** A role that runs. `endpoints` are its URLs by name (`http`, …), told to the supervisor and shown to people. */
export type RunningRole<Config = unknown> = AsyncDisposable & {
	readonly endpoints: Readonly<Record<string, string>>;
	/** Takes up another configuration as it runs; false = it has to be started anew for it. Absent: always. */
	readonly reconfigure?: (config: Config) => Promise<boolean>;
	/** Removes what begins so from the cache; answers how many objects went. Absent: it has none. */
	readonly purgeCache?: (uriPrefix: string) => Promise<number>;
};
