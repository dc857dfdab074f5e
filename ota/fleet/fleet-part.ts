import type Router from '@koa/router';
import type {Transaction} from 'kysely';
import type {DeviceId} from '#appliance/contract/box-schema.ts';
import type {Reply} from '#appliance/contract/fleet/command-schema.ts';
import type {Presence} from '#appliance/contract/fleet/presence-schema.ts';
import type {Reported} from '#appliance/contract/fleet/reported-schema.ts';
import type {SpooledEvent, Telemetry} from '#appliance/contract/fleet/spool-schema.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import type {LiveChange} from '#ota/contract/box-api.ts';
import type {AnyEndpoint} from '#ota/fleet/api/endpoint.ts';
import type {FleetTables} from '#ota/fleet/store/fleet-database.ts';
import type {OpenFleetDatabase} from '#ota/fleet/store/open-fleet-database.ts';

/** What boxes said, parsed, deduplicated and in order; written in one transaction, and acknowledged after it. */
export type IngestBatch = {
	readonly presence: readonly {readonly box: DeviceId; readonly presence: Presence}[];
	readonly reported: readonly {readonly box: DeviceId; readonly reported: Reported}[];
	readonly telemetry: readonly {readonly box: DeviceId; readonly telemetry: Telemetry}[];
	readonly events: readonly {readonly box: DeviceId; readonly event: SpooledEvent}[];
	readonly replies: readonly {readonly box: DeviceId; readonly reply: Reply}[];
};

/** Tells this server's pages, and those of the others, that something changed. */
export type Changes = {
	readonly publish: (change: LiveChange) => void;
	readonly subscribe: (listener: (change: LiveChange) => void) => () => void;
};

/** What every part of a fleet server is given. */
export type FleetContext = {
	/** Of this server; stable across its restarts. */
	readonly serverId: string;
	readonly store: OpenFleetDatabase;
	readonly changes: Changes;
	readonly clock: Clock;
	readonly logger: Logger;
	readonly signal: AbortSignal;
};

/** One part of the server. `start-fleet.ts` composes them; a part knows of others only what it is given. */
export type FleetPart = {
	/** Operations for people (`/api/v1/…`). */
	readonly endpoints?: readonly AnyEndpoint[];
	/** Routes for boxes, on the listener with mutual TLS; `context.state.deviceId` is the certificate's name, if any. */
	readonly deviceRoutes?: Router;
	/** Runs inside the transaction that writes a batch: all of it or nothing. */
	readonly writeIngest?: (transaction: Transaction<FleetTables>, batch: IngestBatch) => Promise<void>;
	/** After the commit. Must not wait. */
	readonly afterIngest?: (batch: IngestBatch) => void;
	/** Work that goes on until the context's signal; begun when the server is ready, disposed in reverse order. */
	readonly start?: () => Promise<AsyncDisposable>;
};
