import type {FleetContext, FleetPart} from '#ota/fleet/fleet-part.ts';
import type {OrderDesk} from '#ota/fleet/order/order-desk.ts';
import {createRolloutEndpoints} from '#ota/fleet/rollout/rollout-endpoints.ts';
import {RolloutEngine} from '#ota/fleet/rollout/rollout-engine.ts';
import {RolloutService} from '#ota/fleet/rollout/rollout-service.ts';
import type {OrderPlaces} from '#ota/fleet/rollout/update-order-of.ts';
import {writeRolloutProgress} from '#ota/fleet/rollout/write-progress.ts';
import type {Leases} from '#ota/fleet/server/leases.ts';

export type RolloutPartOptions = OrderPlaces & {
	readonly desk: OrderDesk;
	readonly leases: Leases;
	/** Headends whose catalogues get `release/orders.json`. */
	readonly headendUrls: readonly string[];
};

const leaseName = 'rollout';

/** Rollouts: made and approved by people, moved by the engine of one server, told on by every server's boxes. */
export const createRolloutPart = (context: FleetContext, options: RolloutPartOptions): FleetPart => {
	const {desk, leases, headendUrls, deviceUrl, objectBaseUri} = options;
	const engineContext = {...context, desk, headendUrls, places: {deviceUrl, objectBaseUri}};
	const engine = new RolloutEngine(engineContext);
	const service = new RolloutService({...engineContext, engine});
	const moved = new Set<string>();
	return {
		endpoints: createRolloutEndpoints(service, engineContext),
		writeIngest: async (transaction, batch) => {
			if (batch.reported.length > 0 || batch.events.length > 0) {
				const ids = await writeRolloutProgress(transaction, batch, {nowMs: context.clock.nowMs()});
				for (const id of ids) {
					moved.add(id);
				}
			}
		},
		afterIngest: () => {
			if (moved.size > 0) {
				context.changes.publish({kind: 'rollouts', ids: [...moved].slice(0, 200)});
				moved.clear();
				engine.wake();
			}
		},
		start: () => {
			const stopping = new AbortController();
			const signal = AbortSignal.any([context.signal, stopping.signal]);
			const running = leases.withLease(leaseName, (held) => engine.run(held), {signal});
			return Promise.resolve({
				[Symbol.asyncDispose]: async () => {
					stopping.abort();
					engine.wake();
					await running;
				},
			});
		},
	};
};
