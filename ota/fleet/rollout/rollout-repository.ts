import type {Selectable} from 'kysely';
import {sql} from 'kysely';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {type UpdatePhase, updatePhaseSchema} from '#appliance/contract/fleet/update-schema.ts';
import type {
	Rollout,
	RolloutBox,
	RolloutBoxState,
	RolloutGroup,
	RolloutState,
	RolloutSummary,
} from '#ota/contract/rollout-api.ts';
import {countsOf} from '#ota/fleet/rollout/read-rollout-view.ts';
import {
	actSchema,
	groupStateSchema,
	parseProgress,
	parseReason,
	parseSpec,
	parseState,
} from '#ota/fleet/rollout/rollout-rows.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';
import type {RolloutBoxTable, RolloutTable} from '#ota/fleet/store/rollout-tables.ts';

type RolloutRow = Selectable<RolloutTable>;
type Count = {
	readonly rollout: string;
	readonly ordinal: number;
	readonly state: string;
	readonly phase: string | null;
	readonly count: number;
	readonly carousel: number;
	readonly local: number;
	readonly unicast: number;
};

export const readRollout = (database: FleetDatabase, id: string): Promise<Rollout | undefined> =>
	readWith(database, id, () => readCounts(database, [id]));

/** Of a rollout that was just made, whose members all wait: who placed them need not have them counted. */
export const readNewRollout = (
	database: FleetDatabase,
	{id, boxesOfGroups}: {readonly id: string; readonly boxesOfGroups: readonly number[]},
): Promise<Rollout | undefined> => {
	const nothing = {state: 'waiting', phase: null, carousel: 0, local: 0, unicast: 0};
	const counts = boxesOfGroups.map((count, ordinal) => ({...nothing, rollout: id, ordinal, count}));
	return readWith(database, id, () => Promise.resolve(counts));
};

const readWith = async (
	database: FleetDatabase,
	id: string,
	count: () => Promise<readonly Count[]>,
): Promise<Rollout | undefined> => {
	const row = await database.selectFrom('rollout').selectAll().where('id', '=', id).executeTakeFirst();
	if (row === undefined) {
		return undefined;
	}
	const counts = await count();
	const spec = parseSpec(row);
	return {...headOf(row, counts), spec, groups: await readGroups(database, row, counts)};
};

export const listRollouts = async (
	database: FleetDatabase,
	options: {
		readonly state: RolloutState | undefined;
		readonly release: string | undefined;
		readonly after: readonly [number, string] | undefined;
		readonly limit: number;
	},
): Promise<readonly RolloutSummary[]> => {
	let query = database.selectFrom('rollout').selectAll();
	if (options.state !== undefined) {
		query = query.where('state', '=', options.state);
	}
	if (options.release !== undefined) {
		query = query.where('release', '=', options.release);
	}
	if (options.after !== undefined) {
		const [createdMs, id] = options.after;
		query = query.where(({eb, and, or}) =>
			or([eb('created_ms', '<', createdMs), and([eb('created_ms', '=', createdMs), eb('id', '<', id)])]),
		);
	}
	const rows = await query.orderBy('created_ms', 'desc').orderBy('id', 'desc').limit(options.limit).execute();
	const ids = rows.map(({id}) => id);
	const counts = await readCounts(database, ids);
	const groups = ids.length === 0 ? [] : await readGroupStates(database, ids);
	return rows.map((row) => {
		const own = groups.filter(({rollout}) => rollout === row.id);
		const {release, kind, name} = parseSpec(row);
		const head = headOf(
			row,
			counts.filter(({rollout}) => rollout === row.id),
		);
		return {
			...head,
			name,
			release,
			kind,
			groups: own.length,
			groupsDone: own.filter(({state}) => state === 'done').length,
		};
	});
};

export const listRolloutBoxes = async (
	database: FleetDatabase,
	options: {
		readonly id: string;
		readonly group: number | undefined;
		readonly state: RolloutBoxState | undefined;
		readonly after: string | undefined;
		readonly limit: number;
	},
): Promise<readonly RolloutBox[]> => {
	let query = database.selectFrom('rollout_box').selectAll().where('rollout', '=', options.id);
	if (options.group !== undefined) {
		query = query.where('ordinal', '=', options.group);
	}
	if (options.state !== undefined) {
		query = query.where('state', '=', options.state);
	}
	if (options.after !== undefined) {
		query = query.where('box', '>', options.after);
	}
	const rows = await query.orderBy('box').limit(options.limit).execute();
	return rows.map(toBox);
};

const toBox = (row: Selectable<RolloutBoxTable>): RolloutBox => {
	const {state, phase, attempt, reason, nextMs} = parseProgress(row);
	return {
		box: deviceIdSchema.parse(row.box),
		group: row.ordinal,
		state,
		phase,
		attempt,
		reason,
		orderedMs: row.ordered_ms,
		changedMs: row.changed_ms,
		nextMs,
		bytes: {carousel: row.carousel_bytes, local: row.local_bytes, unicast: row.unicast_bytes},
	};
};

const readGroupStates = (database: FleetDatabase, ids: readonly string[]) =>
	database.selectFrom('rollout_group').select(['rollout', 'state']).where('rollout', 'in', ids).execute();

const readGroups = async (
	database: FleetDatabase,
	row: RolloutRow,
	counts: readonly Count[],
): Promise<RolloutGroup[]> => {
	const {groups} = parseSpec(row);
	const rows = await database
		.selectFrom('rollout_group')
		.selectAll()
		.where('rollout', '=', row.id)
		.orderBy('ordinal')
		.execute();
	return rows.flatMap((group) => {
		const spec = groups[group.ordinal];
		const own = counts.filter(({ordinal}) => ordinal === group.ordinal);
		return spec === undefined
			? []
			: [
					{
						ordinal: group.ordinal,
						spec,
						from: group.share_from,
						to: group.share_to,
						state: groupStateSchema.parse(group.state),
						boxes: totalOf(own),
						counts: countsOf(own),
						phases: phasesOf(own),
						startedMs: group.started_ms,
						endedMs: group.ended_ms,
					},
				];
	});
};

const phasesOf = (counts: readonly Count[]): Partial<Record<UpdatePhase, number>> =>
	Object.fromEntries(
		counts.flatMap(({state, phase, count}) =>
			state === 'ordered' && phase !== null ? [[updatePhaseSchema.parse(phase), Number(count)]] : [],
		),
	);

const readCounts = async (database: FleetDatabase, ids: readonly string[]): Promise<readonly Count[]> =>
	ids.length === 0
		? []
		: database
				.selectFrom('rollout_box')
				.select(['rollout', 'ordinal', 'state', 'phase', sql<number>`count(*)`.as('count')])
				.select([
					sql<number>`sum(carousel_bytes)`.as('carousel'),
					sql<number>`sum(local_bytes)`.as('local'),
					sql<number>`sum(unicast_bytes)`.as('unicast'),
				])
				.where('rollout', 'in', ids)
				.groupBy(['rollout', 'ordinal', 'state', 'phase'])
				.execute();

const totalOf = (counts: readonly Count[]): number => counts.reduce((sum, {count}) => sum + Number(count), 0);

const headOf = (row: RolloutRow, counts: readonly Count[]): Omit<Rollout, 'spec' | 'groups'> => {
	const sumOf = (name: 'carousel' | 'local' | 'unicast'): number =>
		counts.reduce((sum, count) => sum + Number(count[name]), 0);
	return {
		id: row.id,
		state: parseState(row),
		reason: parseReason(row.reason),
		boxes: totalOf(counts),
		counts: countsOf(counts),
		bytes: {carousel: sumOf('carousel'), local: sumOf('local'), unicast: sumOf('unicast')},
		createdBy: row.created_by,
		createdById: row.created_by_id,
		createdMs: row.created_ms,
		approval: row.approval === null ? null : actSchema.parse(JSON.parse(row.approval)),
		startedMs: row.started_ms,
		endedMs: row.ended_ms,
		editVersion: row.edit_version,
	};
};
