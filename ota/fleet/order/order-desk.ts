import type {JWK} from 'jose';
import type {Transaction} from 'kysely';
import type {DeviceId} from '#appliance/contract/box-schema.ts';
import type {CommandName} from '#appliance/contract/fleet/command-schema.ts';
import type {OrderTarget, SignedOrder, UpdateOrder} from '#appliance/contract/fleet/order-schema.ts';
import type {FleetTables} from '#ota/fleet/store/fleet-database.ts';

/**
 * The one place where the fleet says what it wants of its boxes. Changes of the desired state are made inside the
 * caller's transaction; a publisher signs them, sends them and marks them done after the commit, on one server at a
 * time, as often as it takes.
 */
export type OrderDesk = {
	/** What these boxes are to run; undefined = nothing is wanted (an update under way is aborted). Any number of boxes. */
	readonly setUpdate: (
		transaction: Transaction<FleetTables>,
		boxes: readonly DeviceId[],
		update: UpdateOrder | undefined,
	) => Promise<void>;
	/** The box's whole config overlay. */
	readonly setConfig: (
		transaction: Transaction<FleetTables>,
		box: DeviceId,
		config: Readonly<Record<string, unknown>>,
	) => Promise<void>;
	/** Their desired state is signed and sent anew: a site's maintenance windows, or the order key, have changed. */
	readonly markDirty: (transaction: Transaction<FleetTables>, boxes: readonly DeviceId[] | 'all') => Promise<void>;
	/** Optional, after the commit: the publisher looks at once and not at its next turn. */
	readonly wake: () => void;
	/** An update for the carousel: for one-way boxes, by filter and share. */
	readonly signBroadcast: (
		target: OrderTarget,
		update: UpdateOrder,
		options: {readonly expiresMs: number},
	) => Promise<SignedOrder>;
	readonly signCommand: (command: {
		readonly id: string;
		readonly box: DeviceId;
		readonly name: CommandName;
		readonly arguments: unknown;
		readonly deadlineMs: number;
	}) => Promise<SignedOrder>;
	/** Every `rotate-key` order, oldest first: what a box walks from its factory key to today's. */
	readonly keyChain: () => Promise<readonly SignedOrder[]>;
	/** The public key that a box enrolled now is given as its trust anchor. */
	readonly publicKey: () => Promise<JWK>;
	/** From now on a new key signs; the old one signs the order that says so. */
	readonly rotateKey: () => Promise<void>;
};
