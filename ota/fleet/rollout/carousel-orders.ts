import {type CarouselOrders, carouselOrdersMax} from '#appliance/contract/fleet/carousel-orders-schema.ts';
import {type OrderTarget, orderTargetSchema, signedOrderSchema} from '#appliance/contract/fleet/order-schema.ts';
import type {RolloutSpec} from '#ota/contract/rollout-api.ts';
import type {OrderDesk} from '#ota/fleet/order/order-desk.ts';
import {readRelease} from '#ota/fleet/release/release-repository.ts';
import {parseSpec} from '#ota/fleet/rollout/rollout-rows.ts';
import type {TurnContext} from '#ota/fleet/rollout/rollout-turn.ts';
import {updateOrderOf} from '#ota/fleet/rollout/update-order-of.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

/** How long a one-way box may take an order of the carousel; also how long a rollout that ended stays in it. */
export const broadcastLifeMs = 30 * 86_400_000;

/** Whom the carousel's order of a group is for, by what a box knows of itself. */
export const broadcastTarget = (
	rollout: {readonly id: string; readonly spec: Pick<RolloutSpec, 'kind' | 'filter'>},
	{from, to}: {readonly from: number; readonly to: number},
): OrderTarget => {
	const {kind, filter} = rollout.spec;
	const ownKind = `kind = ${kind}`;
	return orderTargetSchema.parse({
		kind: 'share',
		filter: filter.trim() === '' ? ownKind : `${ownKind} and (${filter})`,
		salt: rollout.id,
		from,
		to,
	});
};

/** Signs the order of each group that has started and has none yet. Doing it twice is harmless: the first stays. */
export const signBroadcasts = async (context: TurnContext): Promise<number> => {
	const {database} = context.store;
	const nowMs = context.clock.nowMs();
	const rows = await database
		.selectFrom('rollout_group')
		.innerJoin('rollout', 'rollout.id', 'rollout_group.rollout')
		.select(['rollout.id', 'rollout.spec', 'rollout.release', 'rollout_group.ordinal'])
		.select(['rollout_group.share_from as from', 'rollout_group.share_to as to'])
		// A last group of one-way boxes may start and end in one breath, and the rollout with it.
		.where('rollout.state', 'in', ['running', 'finished'])
		.where(({eb, or}) => or([eb('rollout.ended_ms', 'is', null), eb('rollout.ended_ms', '>', nowMs - broadcastLifeMs)]))
		.where('rollout_group.state', '!=', 'waiting')
		.where('rollout_group.broadcast', 'is', null)
		.execute();
	let signed = 0;
	for (const row of rows) {
		const spec = parseSpec(row);
		if (spec.sources.carouselWaitMs === null || context.places.objectBaseUri === undefined) {
			continue;
		}
		const release = await readRelease(database, row.release);
		if (release === undefined) {
			continue;
		}
		const update = updateOrderOf({id: row.id, spec, attempt: 1}, {release, places: context.places});
		const expiresMs = nowMs + broadcastLifeMs;
		const order = await context.desk.signBroadcast(broadcastTarget({id: row.id, spec}, row), update, {expiresMs});
		await database
			.updateTable('rollout_group')
			.set({broadcast: order})
			.where('rollout', '=', row.id)
			.where('ordinal', '=', row.ordinal)
			.where('broadcast', 'is', null)
			.execute();
		signed += 1;
	}
	return signed;
};

/** What `orders.json` is to hold now: the newest first. A rollout that pauses or is aborted vanishes from it. */
export const readCarouselOrders = async (
	database: FleetDatabase,
	{desk, nowMs}: {readonly desk: Pick<OrderDesk, 'keyChain'>; readonly nowMs: number},
): Promise<CarouselOrders> => {
	const rows = await database
		.selectFrom('rollout_group')
		.innerJoin('rollout', 'rollout.id', 'rollout_group.rollout')
		.innerJoin('release', 'release.release', 'rollout.release')
		.select('rollout_group.broadcast')
		.where('rollout_group.broadcast', 'is not', null)
		.where('release.state', '=', 'published')
		.where('rollout.state', 'in', ['running', 'finished'])
		.where(({eb, or}) => or([eb('rollout.ended_ms', 'is', null), eb('rollout.ended_ms', '>', nowMs - broadcastLifeMs)]))
		.orderBy('rollout.created_ms', 'desc')
		.orderBy('rollout_group.ordinal')
		.limit(carouselOrdersMax)
		.execute();
	return {
		version: 1,
		keyChain: [...(await desk.keyChain())],
		orders: rows.map(({broadcast}) => signedOrderSchema.parse(broadcast)),
	};
};
