import type {SignedOrder} from '#appliance/contract/fleet/order-schema.ts';
import {signedOrderSchema} from '#appliance/contract/fleet/order-schema.ts';
import type {Clock} from '#appliance/time/clock.ts';
import type {OrderKeys, SigningKey} from '#ota/fleet/order/order-keys.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

export type OrderContext = {
	/** The `iss` of every order. */
	readonly fleet: string;
	readonly database: FleetDatabase;
	readonly keys: OrderKeys;
	readonly clock: Clock;
};

/** The key that signs at the moment: the last of the chain. The first server of a fleet begins the chain. */
export const currentKey = async ({
	database,
	keys,
	clock,
}: Pick<OrderContext, 'database' | 'keys' | 'clock'>): Promise<SigningKey> => {
	const last = await database
		.selectFrom('order_key')
		.select('kid')
		.orderBy('position', 'desc')
		.limit(1)
		.executeTakeFirst();
	if (last !== undefined) {
		return keys.byId(last.kid);
	}
	const first = await keys.first();
	await database
		.insertInto('order_key')
		.values({
			kid: first.kid,
			position: 1,
			jwk: JSON.stringify(first.publicKey),
			rotation: null,
			created_ms: clock.nowMs(),
		})
		.onConflict((conflict) => conflict.column('position').doNothing())
		.execute();
	// Another server may have been first.
	return currentKey({database, keys, clock});
};

export const readKeyChain = async ({database}: Pick<OrderContext, 'database'>): Promise<readonly SignedOrder[]> => {
	const rows = await database
		.selectFrom('order_key')
		.select('rotation')
		.where('rotation', 'is not', null)
		.orderBy('position')
		.execute();
	return rows.map(({rotation}) => signedOrderSchema.parse(rotation));
};
