import {sql, type Transaction} from 'kysely';
import {parseFilter} from '#appliance/filter/parse-filter.ts';
import {compareReleases} from '#appliance/filter/release-order.ts';
import {
	type RolloutBoxState,
	type RolloutSpec,
	type RolloutState,
	rolloutBoxStates,
} from '#ota/contract/rollout-api.ts';
import {filterToSql} from '#ota/fleet/registry/filter-to-sql.ts';
import {trialPhases} from '#ota/fleet/rollout/judge-status.ts';
import type {OpenPhase} from '#ota/fleet/rollout/phase-deadline.ts';
import type {DueBox, PlanGroup, QueuedBox, RolloutView} from '#ota/fleet/rollout/plan-rollout.ts';
import {groupStateSchema, parseProgress} from '#ota/fleet/rollout/rollout-rows.ts';
import type {FleetTables} from '#ota/fleet/store/fleet-database.ts';
import type {DatabaseEngine} from '#ota/fleet/store/open-fleet-database.ts';

/** Boxes that one turn gives up or orders; the next turn follows at once. */
export const turnBoxesMax = 1000;
/** A box that joins the fleet tells within seconds what it runs, which may be what it would be ordered. */
const firstReportMs = 120_000;

export type ViewedRollout = {readonly id: string; readonly state: RolloutState; readonly spec: RolloutSpec};

type Options = {readonly engine: DatabaseEngine; readonly nowMs: number};

/** What the planner needs to know, by as many rows as a turn can use: a rollout of any size costs the same. */
export const readRolloutView = async (
	transaction: Transaction<FleetTables>,
	rollout: ViewedRollout,
	options: Options,
): Promise<RolloutView> => {
	const groups = await readGroups(transaction, rollout);
	const inFlight = groups.reduce((sum, {counts}) => sum + counts.ordered, 0);
	const limit = Math.min(turnBoxesMax, rollout.spec.inFlightMax - inFlight);
	const started = groups.flatMap(({ordinal, state}) => (state === 'waiting' ? [] : [ordinal]));
	const release = await transaction
		.selectFrom('release')
		.select('state')
		.where('release', '=', rollout.spec.release)
		.executeTakeFirst();
	return {
		state: rollout.state,
		spec: rollout.spec,
		isReleasePublished: release?.state === 'published',
		groups,
		due: await readDue(transaction, rollout, options),
		queue:
			rollout.state === 'running' && limit > 0 && started.length > 0
				? await readQueue(transaction, rollout, {...options, started, limit})
				: [],
		nowMs: options.nowMs,
	};
};

const readGroups = async (
	transaction: Transaction<FleetTables>,
	{id, spec}: ViewedRollout,
): Promise<readonly PlanGroup[]> => {
	const rows = await transaction
		.selectFrom('rollout_group')
		.select(['ordinal', 'state', 'waived', 'started_ms'])
		.where('rollout', '=', id)
		.orderBy('ordinal')
		.execute();
	const counted = await transaction
		.selectFrom('rollout_box')
		.select(['state', 'ordinal', sql<number>`count(*)`.as('count')])
		.where('rollout', '=', id)
		.groupBy(['state', 'ordinal'])
		.execute();
	return rows.map((row) => {
		const group = spec.groups[row.ordinal];
		if (group === undefined) {
			throw new Error(`The rollout ${id} has no group ${row.ordinal}.`);
		}
		return {
			ordinal: row.ordinal,
			spec: group,
			state: groupStateSchema.parse(row.state),
			startedMs: row.started_ms,
			waived: row.waived,
			counts: countsOf(counted.filter(({ordinal}) => ordinal === row.ordinal)),
		};
	});
};

/** PostgreSQL counts in bigints. */
export const countsOf = (
	rows: readonly {readonly state: string; readonly count: number}[],
): Record<RolloutBoxState, number> =>
	Object.fromEntries(
		rolloutBoxStates.map((state) => [
			state,
			rows.filter((row) => row.state === state).reduce((sum, {count}) => sum + Number(count), 0),
		]),
	) as Record<RolloutBoxState, number>;

const readDue = async (
	transaction: Transaction<FleetTables>,
	{id}: ViewedRollout,
	{nowMs}: Options,
): Promise<readonly DueBox[]> => {
	const rows = await transaction
		.selectFrom('rollout_box')
		.selectAll()
		.where('rollout', '=', id)
		.where('state', '=', 'ordered')
		.where('next_ms', '<=', nowMs)
		.orderBy('next_ms')
		.limit(turnBoxesMax)
		.execute();
	return rows.map((row) => {
		const {phase, attempt} = parseProgress(row);
		return {box: row.box, attempt, phase: phase as OpenPhase};
	});
};

const readQueue = async (
	transaction: Transaction<FleetTables>,
	{id, spec}: ViewedRollout,
	options: Options & {readonly started: readonly number[]; readonly limit: number},
): Promise<readonly QueuedBox[]> => {
	const {engine, nowMs, started, limit} = options;
	const matches = filterToSql(parseFilter(spec.filter), {engine, nowMs});
	const select = (state: 'retrying' | 'waiting', wanted: number) => {
		const query = transaction
			.selectFrom('rollout_box')
			.innerJoin('box', 'box.id', 'rollout_box.box')
			.select([
				'rollout_box.box',
				'rollout_box.ordinal',
				'rollout_box.attempt',
				'box.release',
				'box.update_phase',
				'box.revoked_ms',
				sql<number>`case when ${matches} then 1 else 0 end`.as('matches'),
			])
			.where('rollout_box.rollout', '=', id)
			.where('rollout_box.state', '=', state)
			.where('rollout_box.ordinal', 'in', started)
			// What another rollout has ordered is not taken from under it.
			.where(
				sql<boolean>`not exists (select 1 from rollout_box other where other.box = rollout_box.box and other.state = 'ordered' and other.rollout <> ${id})`,
			)
			.where(({eb, or}) => or([eb('box.release', '!=', ''), eb('box.enrolled_ms', '<=', nowMs - firstReportMs)]))
			.orderBy('rollout_box.ordinal')
			.orderBy('rollout_box.share')
			.limit(wanted);
		return (state === 'retrying' ? query.where('rollout_box.next_ms', '<=', nowMs) : query).execute();
	};
	const retrying = await select('retrying', limit);
	const waiting = retrying.length < limit ? await select('waiting', limit - retrying.length) : [];
	return [...retrying, ...waiting].map((row) => ({
		box: row.box,
		ordinal: row.ordinal,
		attempt: row.attempt,
		fit: fitOf(row, spec),
	}));
};

const fitOf = (
	box: {
		readonly release: string;
		readonly update_phase: string;
		readonly revoked_ms: number | null;
		readonly matches: number;
		readonly attempt: number;
	},
	spec: RolloutSpec,
): QueuedBox['fit'] => {
	if (box.revoked_ms !== null) {
		return skip('OTA_ROLLOUT_REVOKED', 'The box was revoked.');
	}
	if (box.release === spec.release && !trialPhases.some((phase) => phase === box.update_phase)) {
		return {kind: 'done'};
	}
	if (Number(box.matches) === 0 && box.attempt === 0) {
		return skip('OTA_ROLLOUT_LEFT_FILTER', 'The box no longer matches the filter.');
	}
	if (!spec.allowDowngrade && (compareReleases(box.release, spec.release) ?? 0) > 0) {
		return skip('OTA_ROLLOUT_NEWER', `The box runs ${box.release}, which is newer.`);
	}
	return {kind: 'order'};
};

const skip = (code: string, message: string): QueuedBox['fit'] => ({kind: 'skip', reason: {code, message}});
