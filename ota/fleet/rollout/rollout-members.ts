import {sql} from 'kysely';
import {parseFilter} from '#appliance/filter/parse-filter.ts';
import {shareOf, shareSteps} from '#appliance/filter/share-of.ts';
import type {Clock} from '#appliance/time/clock.ts';
import type {RolloutSpec} from '#ota/contract/rollout-api.ts';
import {filterToSql} from '#ota/fleet/registry/filter-to-sql.ts';
import type {OpenFleetDatabase} from '#ota/fleet/store/open-fleet-database.ts';

export type MatchedBox = {
	readonly id: string;
	readonly release: string;
	readonly presence: string;
	readonly updatePhase: string;
};

type Context = {readonly store: OpenFleetDatabase; readonly clock: Clock};

/** Rows of one transaction: it holds SQLite's only writer for a tenth of a second or two. */
const rowsPerTransaction = 20_000;

/** Boxes that a rollout is for: of its kind, not revoked, and matching its filter now. */
const selectMatching = ({store, clock}: Context, spec: Pick<RolloutSpec, 'kind' | 'filter'>) =>
	store.database
		.selectFrom('box')
		.where('box.kind', '=', spec.kind)
		.where('box.revoked_ms', 'is', null)
		.where(filterToSql(parseFilter(spec.filter), {engine: store.engine, nowMs: clock.nowMs()}));

/** With what a person wants to know of them before they are ordered. */
export const matchBoxes = (
	context: Context,
	spec: Pick<RolloutSpec, 'kind' | 'filter'>,
): Promise<readonly MatchedBox[]> =>
	selectMatching(context, spec)
		.select(['box.id', 'box.release', 'box.presence', 'box.update_phase as updatePhase'])
		.execute();

/** In the order of their ids: two of the three indexes of members grow at their end. */
export const matchIds = (
	context: Context,
	spec: Pick<RolloutSpec, 'kind' | 'filter'>,
): Promise<readonly {readonly id: string}[]> =>
	selectMatching(context, spec).select('box.id').orderBy('box.id').execute();

/**
 * Gives every box that matches and has no row yet its place in a group; answers how many. Done when a rollout is made, and
 * again while it runs, for boxes that come later. It can be broken off anywhere and done twice.
 */
export const addMembers = async (
	context: Context,
	rollout: {readonly id: string; readonly spec: RolloutSpec},
): Promise<number> => {
	const {store} = context;
	const groups = await store.database
		.selectFrom('rollout_group')
		.select(['ordinal', 'share_from', 'share_to'])
		.where('rollout', '=', rollout.id)
		.orderBy('ordinal')
		.execute();
	const missing = await selectMatching(context, rollout.spec)
		.select('box.id')
		.where(
			sql<boolean>`not exists (select 1 from rollout_box where rollout_box.rollout = ${rollout.id} and rollout_box.box = box.id)`,
		)
		.execute();
	const members = missing.flatMap(({id}) => {
		const share = shareOf(rollout.id, id);
		const group = groups.find((each) => each.share_from <= share && share < each.share_to);
		return group === undefined ? [] : [{box: id, ordinal: group.ordinal, share}];
	});
	await placeMembers(context, {rollout: rollout.id, members});
	return members.length;
};

export type Member = {readonly box: string; readonly ordinal: number; readonly share: number};

/**
 * Rows for these members, but for those that have one. They travel as one parameter, a JSON array of texts: a statement of
 * a hundred thousand parameters takes longer to build and to read than its rows to write.
 */
export const placeMembers = async (
	{store, clock}: Context,
	{rollout, members}: {readonly rollout: string; readonly members: readonly Member[]},
): Promise<void> => {
	const nowMs = clock.nowMs();
	for (let first = 0; first < members.length; first += rowsPerTransaction) {
		const rows = JSON.stringify(members.slice(first, first + rowsPerTransaction).map(formatMember));
		await insertMembers(store, {rollout, rows, nowMs});
	}
};

const ordinalDigits = 4;
const shareDigits = String(shareSteps).length;

/**
 * Columns of fixed width, which both engines cut faster than they read JSON. The share is in whole steps: a decimal
 * fraction may come back as its neighbour.
 */
const formatMember = ({box, ordinal, share}: Member): string =>
	`${String(ordinal).padStart(ordinalDigits, '0')}${String(share * shareSteps).padStart(shareDigits, '0')}${box}`;

const insertMembers = async (
	{database, engine}: OpenFleetDatabase,
	{rollout, rows, nowMs}: {readonly rollout: string; readonly rows: string; readonly nowMs: number},
): Promise<void> => {
	const source =
		engine === 'postgres'
			? sql`json_array_elements_text(${rows}::json) as member(value)`
			: sql`json_each(${rows}) as member`;
	const [whole, real, time] =
		engine === 'postgres'
			? [sql`integer`, sql`double precision`, sql`bigint`]
			: [sql`integer`, sql`real`, sql`integer`];
	const [ordinal, share, box] = [
		sql`substr(member.value, 1, ${sql.lit(ordinalDigits)})`,
		sql`substr(member.value, ${sql.lit(ordinalDigits + 1)}, ${sql.lit(shareDigits)})`,
		sql`substr(member.value, ${sql.lit(ordinalDigits + shareDigits + 1)})`,
	];
	await sql`
		insert into rollout_box (rollout, box, ordinal, share, state, changed_ms)
		select ${rollout}, ${box}, cast(${ordinal} as ${whole}),
			cast(${share} as ${real}) / ${sql.lit(shareSteps)}, 'waiting', cast(${nowMs} as ${time})
		from ${source}
		where true
		on conflict (rollout, box) do nothing
	`.execute(database);
};
