import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import type {FluteReceiver} from '#native/flute/receiver.ts';
import type {FluteObject} from '#native/flute/receiver-event.ts';
import type {SignallingSink} from '#stb/assemble/store-arrival.ts';
import type {ObjectCache} from '#stb/cache/object-cache.ts';
import type {StbConfig} from '#stb/config-schema.ts';
import type {RepairSource} from '#stb/repair/repair-target.ts';
import type {Repairer} from '#stb/repair/repairer.ts';

export type AssemblerOptions = {
	readonly config: StbConfig;
	readonly receiver: Pick<FluteReceiver, 'available' | 'missing' | 'write' | 'drop' | 'forget'>;
	readonly cache: Pick<ObjectCache, 'commit' | 'peek' | 'open' | 'stats' | 'renew' | 'makeRoom'>;
	readonly repairer: Repairer;
	/** Where an object may be repaired, by the gateway configuration of now. */
	readonly repairSourceOf: (object: FluteObject) => RepairSource | undefined;
	readonly onSignalling: SignallingSink;
	/** URIs of content that the box reads itself as well as keeping it. */
	readonly alsoSignalling: (uri: string) => boolean;
	/** The receiver's thread cannot go on. */
	readonly onReceiverFailed: (failure: {readonly code: string; readonly message: string}) => void;
	readonly clock: Clock;
	readonly logger: Logger;
};

export type AssemblerCounts = {
	readonly received: number;
	readonly repaired: number;
	readonly failed: number;
	readonly fecRecoveredBytes: number;
};
