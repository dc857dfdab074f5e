import type {UpdateOrder} from '#appliance/contract/fleet/order-schema.ts';
import type {Clock} from '#appliance/time/clock.ts';
import type {OrderDesk} from '#ota/fleet/order/order-desk.ts';
import {readRelease} from '#ota/fleet/release/release-repository.ts';
import {carryOut} from '#ota/fleet/rollout/carry-out.ts';
import {planRollout, type RolloutStep} from '#ota/fleet/rollout/plan-rollout.ts';
import {readRolloutView} from '#ota/fleet/rollout/read-rollout-view.ts';
import {rolloutError} from '#ota/fleet/rollout/rollout-error.ts';
import {parseSpec, parseState} from '#ota/fleet/rollout/rollout-rows.ts';
import {type OrderPlaces, updateOrderOf} from '#ota/fleet/rollout/update-order-of.ts';
import type {OpenFleetDatabase} from '#ota/fleet/store/open-fleet-database.ts';

export type TurnContext = {
	readonly store: OpenFleetDatabase;
	readonly clock: Clock;
	readonly desk: OrderDesk;
	readonly places: OrderPlaces;
};

/**
 * Plans a rollout's next steps and carries them out, in one transaction that begins by locking the rollout's row: two
 * servers that both believe to hold the lease take turns, and a server that dies leaves either all of a turn or nothing.
 * Answers what was done; nothing = it is quiet until time passes or a box speaks.
 */
export const takeRolloutTurn = (
	{store, clock, desk, places}: TurnContext,
	id: string,
): Promise<readonly RolloutStep[]> =>
	store.database.transaction().execute(async (transaction) => {
		const row = await transaction
			.updateTable('rollout')
			.set((set) => ({turn: set('turn', '+', 1)}))
			.where('id', '=', id)
			.returningAll()
			.executeTakeFirst();
		if (row === undefined) {
			return [];
		}
		const nowMs = clock.nowMs();
		const rollout = {id, state: parseState(row), spec: parseSpec(row)};
		const steps = planRollout(await readRolloutView(transaction, rollout, {engine: store.engine, nowMs}));
		const orderOf = async (attempt: number): Promise<UpdateOrder> => {
			const release = await readRelease(transaction, rollout.spec.release);
			if (release === undefined) {
				throw rolloutError('OTA_ROLLOUT_RELEASE_UNPUBLISHED', {status: 409, message: 'The release is gone.'});
			}
			return updateOrderOf({...rollout, attempt}, {release, places});
		};
		await carryOut({transaction, rollout, desk, orderOf, nowMs}, steps);
		return steps;
	});
