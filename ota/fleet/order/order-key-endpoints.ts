import type {z} from 'zod';
import {orderKeyListSchema} from '#ota/contract/order-key-api.ts';
import {type AnyEndpoint, endpoint} from '#ota/fleet/api/endpoint.ts';
import type {OrderDesk} from '#ota/fleet/order/order-desk.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

const tag = 'orders';

export const orderKeyEndpoints = ({
	database,
	orderDesk,
}: {
	readonly database: FleetDatabase;
	readonly orderDesk: OrderDesk;
}): readonly AnyEndpoint[] => [
	endpoint({
		method: 'GET',
		path: '/order-keys',
		operationId: 'listOrderKeys',
		tag,
		summary: 'The keys that have signed orders, oldest first; the last signs now',
		role: 'viewer',
		answer: orderKeyListSchema,
		handle: async () => ({body: await readOrderKeys(database)}),
	}),
	endpoint({
		method: 'POST',
		path: '/order-key/rotate',
		operationId: 'rotateOrderKey',
		tag,
		summary: 'Make a new key that signs from now on; the old one signs the order by which every box learns it',
		role: 'admin',
		answer: orderKeyListSchema,
		handle: async () => {
			await orderDesk.rotateKey();
			return {body: await readOrderKeys(database)};
		},
	}),
];

const readOrderKeys = async (database: FleetDatabase): Promise<z.infer<typeof orderKeyListSchema>> => {
	const rows = await database.selectFrom('order_key').select(['kid', 'created_ms']).orderBy('position').execute();
	return {
		items: rows.map(({kid, created_ms: sinceMs}, index) => ({
			kid,
			sinceMs,
			untilMs: rows[index + 1]?.created_ms ?? null,
		})),
	};
};
