import type {UpdateOrder} from '#appliance/contract/fleet/order-schema.ts';
import type {AgentStore} from '#ota/agent/agent-store.ts';
import {type OrderOrigin, orderOrigins} from '#ota/agent/order-origin.ts';
import {isEnded, orderIdOf, type UpdateState} from '#ota/agent/update-state.ts';

/** What each giver of orders wants now. One that has not spoken since the start is not in it. */
export type WantedOrders = Map<
	OrderOrigin,
	{readonly order: UpdateOrder | undefined; readonly expiresMs: number | undefined}
>;

export const wantedIds = (wanted: WantedOrders): readonly string[] =>
	[...wanted.values()].flatMap(({order}) => (order === undefined ? [] : [order.orderId]));

export type NextOrder = {
	readonly order: UpdateOrder;
	readonly origin: OrderOrigin;
	readonly expiresMs: number | undefined;
};

/** The order to begin when nothing is under way: the weightiest giver's, and none that has ended already. */
export const nextOrder = (
	wanted: WantedOrders,
	{state, store}: {readonly state: UpdateState; readonly store: Pick<AgentStore, 'isFinished' | 'readState'>},
): NextOrder | undefined => {
	for (const origin of orderOrigins) {
		const {order, expiresMs} = wanted.get(origin) ?? {};
		if (order !== undefined && !store.isFinished(order.orderId) && !endedUnwritten(order, state, store)) {
			return {order, origin, expiresMs};
		}
	}
	return undefined;
};

/** An order whose end could not be written is not begun over and over. */
const endedUnwritten = ({orderId}: UpdateOrder, state: UpdateState, store: Pick<AgentStore, 'readState'>): boolean => {
	if (!isEnded(state) || state.orderId !== orderId) {
		return false;
	}
	const kept = store.readState();
	return kept === undefined || orderIdOf(kept) !== orderId || !isEnded(kept);
};
