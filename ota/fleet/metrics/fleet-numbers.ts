import {measureOutbox, type OutboxState} from '#ota/fleet/bridge/outbox.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

/** Releases that are named; what boxes report beyond is counted together. */
const releasesMax = 20;

type Counts = readonly (readonly [string, number])[];

export type FleetNumbers = {
	readonly boxes: readonly {
		readonly kind: string;
		readonly presence: string;
		readonly health: string;
		readonly count: number;
	}[];
	readonly releases: Counts;
	readonly phases: Counts;
	readonly rollouts: Counts;
	readonly alerts: readonly {
		readonly rule: string;
		readonly severity: string;
		readonly acknowledged: string;
		readonly count: number;
	}[];
	readonly outbox: OutboxState;
	/** How long each of these took. */
	readonly seconds: Counts;
};

/** Everything that is counted in the database. */
export const readFleetNumbers = async (database: FleetDatabase): Promise<FleetNumbers> => {
	const seconds: [string, number][] = [];
	const timed = async <Answer>(query: string, ask: () => Promise<Answer>): Promise<Answer> => {
		const begunMs = performance.now();
		const answer = await ask();
		seconds.push([query, (performance.now() - begunMs) / 1000]);
		return answer;
	};
	return {
		boxes: await timed('boxes', () => countBoxes(database)),
		releases: await timed('releases', () => countReleases(database)),
		phases: await timed('phases', () => countPhases(database)),
		rollouts: await timed('rollouts', () => countRollouts(database)),
		alerts: await timed('alerts', () => countAlerts(database)),
		outbox: await timed('outbox', () => measureOutbox(database)),
		seconds,
	};
};

const countBoxes = async (database: FleetDatabase): Promise<FleetNumbers['boxes']> => {
	const rows = await database
		.selectFrom('box')
		.select(({fn}) => ['kind', 'presence', 'health', fn.countAll().as('count')])
		.where('revoked_ms', 'is', null)
		.groupBy(['kind', 'presence', 'health'])
		.execute();
	return rows.map((row) => ({...row, count: Number(row.count)}));
};

const countReleases = async (database: FleetDatabase): Promise<Counts> => {
	const rows = await database
		.selectFrom('box')
		.select(({fn}) => ['release', fn.countAll().as('count')])
		.where('revoked_ms', 'is', null)
		.groupBy('release')
		.orderBy('count', 'desc')
		.execute();
	const counts = rows.map(({release, count}) => [release.slice(0, 64), Number(count)] as const);
	const others = counts.slice(releasesMax).reduce((sum, [, count]) => sum + count, 0);
	return others === 0 ? counts : [...counts.slice(0, releasesMax), ['(others)', others]];
};

const countPhases = async (database: FleetDatabase): Promise<Counts> => {
	const rows = await database
		.selectFrom('box')
		.select(({fn}) => ['update_phase', fn.countAll().as('count')])
		.where('revoked_ms', 'is', null)
		.groupBy('update_phase')
		.execute();
	return rows.map((row) => [row.update_phase, Number(row.count)]);
};

const countRollouts = async (database: FleetDatabase): Promise<Counts> => {
	const rows = await database
		.selectFrom('rollout')
		.select(({fn}) => ['state', fn.countAll().as('count')])
		.groupBy('state')
		.execute();
	return rows.map(({state, count}) => [state, Number(count)]);
};

const countAlerts = async (database: FleetDatabase): Promise<FleetNumbers['alerts']> => {
	const rows = await database
		.selectFrom('alert')
		.select(({fn}) => ['rule', 'severity', fn.countAll().as('count'), fn.count('acknowledged_ms').as('acknowledged')])
		.where('state', '=', 'raised')
		.groupBy(['rule', 'severity'])
		.execute();
	return rows.flatMap(({rule, severity, count, acknowledged}) => [
		{rule, severity, acknowledged: 'true', count: Number(acknowledged)},
		{rule, severity, acknowledged: 'false', count: Number(count) - Number(acknowledged)},
	]);
};
