import {sql} from 'kysely';
import {parseFilter} from '#appliance/filter/parse-filter.ts';
import {shareOf} from '#appliance/filter/share-of.ts';
import type {Clock} from '#appliance/time/clock.ts';
import type {RolloutSpec} from '#ota/contract/rollout-api.ts';
import {filterToSql} from '#ota/fleet/registry/filter-to-sql.ts';
import {chunksOf} from '#ota/fleet/store/chunks-of.ts';
import type {OpenFleetDatabase} from '#ota/fleet/store/open-fleet-database.ts';

export type MatchedBox = {
	readonly id: string;
	readonly release: string;
	readonly presence: string;
	readonly updatePhase: string;
};

type Context = {readonly store: OpenFleetDatabase; readonly clock: Clock};

/** Rows of one transaction: it holds SQLite's only writer for some tens of milliseconds. */
const rowsPerTransaction = 5000;

/** Boxes that a rollout is for: of its kind, not revoked, and matching its filter now. */
export const matchBoxes = (
	{store, clock}: Context,
	spec: Pick<RolloutSpec, 'kind' | 'filter'>,
	{notIn}: {readonly notIn?: string} = {},
): Promise<readonly MatchedBox[]> => {
	let query = store.database
		.selectFrom('box')
		.select(['box.id', 'box.release', 'box.presence', 'box.update_phase as updatePhase'])
		.where('box.kind', '=', spec.kind)
		.where('box.revoked_ms', 'is', null)
		.where(filterToSql(parseFilter(spec.filter), {engine: store.engine, nowMs: clock.nowMs()}));
	if (notIn !== undefined) {
		query = query.where(
			sql<boolean>`not exists (select 1 from rollout_box where rollout_box.rollout = ${notIn} and rollout_box.box = box.id)`,
		);
	}
	return query.execute();
};

/**
 * Gives every box that matches and has no row yet its place in a group; answers how many. Done when a rollout is made, and
 * again while it runs, for boxes that come later. It can be broken off anywhere and done twice.
 */
export const addMembers = async (
	context: Context,
	rollout: {readonly id: string; readonly spec: RolloutSpec},
): Promise<number> => {
	const {store, clock} = context;
	const groups = await store.database
		.selectFrom('rollout_group')
		.select(['ordinal', 'share_from', 'share_to'])
		.where('rollout', '=', rollout.id)
		.orderBy('ordinal')
		.execute();
	const nowMs = clock.nowMs();
	const missing = await matchBoxes(context, rollout.spec, {notIn: rollout.id});
	const rows = missing.flatMap(({id}) => {
		const share = shareOf(rollout.id, id);
		const group = groups.find((each) => each.share_from <= share && share < each.share_to);
		return group === undefined
			? []
			: [{rollout: rollout.id, box: id, ordinal: group.ordinal, share, state: 'waiting', changed_ms: nowMs}];
	});
	for (let first = 0; first < rows.length; first += rowsPerTransaction) {
		const portion = rows.slice(first, first + rowsPerTransaction);
		await store.database.transaction().execute(async (transaction) => {
			for (const chunk of chunksOf(portion, 6)) {
				await transaction
					.insertInto('rollout_box')
					.values([...chunk])
					.onConflict((conflict) => conflict.columns(['rollout', 'box']).doNothing())
					.execute();
			}
		});
	}
	return rows.length;
};
