import {z} from 'zod';
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
	const boxes = await timed('boxes', () => countBoxes(database));
	return {
		boxes: addUp(boxes, ({kind, presence, health}) => JSON.stringify([kind, presence, health])).map(([key, count]) => {
			const [kind, presence, health] = labelsSchema.parse(JSON.parse(key));
			return {kind, presence, health, count};
		}),
		releases: commonest(addUp(boxes, ({release}) => release.slice(0, 64))),
		phases: addUp(boxes, (row) => row.update_phase),
		rollouts: await timed('rollouts', () => countRollouts(database)),
		alerts: await timed('alerts', () => countAlerts(database)),
		outbox: await timed('outbox', () => measureOutbox(database)),
		seconds,
	};
};

const labelsSchema = z.tuple([z.string(), z.string(), z.string()]);

type BoxCount = {
	readonly kind: string;
	readonly presence: string;
	readonly health: string;
	readonly release: string;
	readonly update_phase: string;
	readonly count: number;
};

/** One pass over all boxes, from which every count of them is made. */
const countBoxes = async (database: FleetDatabase): Promise<readonly BoxCount[]> => {
	const rows = await database
		.selectFrom('box')
		.select(({fn}) => ['kind', 'presence', 'health', 'release', 'update_phase', fn.countAll().as('count')])
		.where('revoked_ms', 'is', null)
		.groupBy(['kind', 'presence', 'health', 'release', 'update_phase'])
		.execute();
	return rows.map((row) => ({...row, count: Number(row.count)}));
};

const addUp = (rows: readonly BoxCount[], keyOf: (row: BoxCount) => string): [string, number][] => {
	const sums = new Map<string, number>();
	for (const row of rows) {
		const key = keyOf(row);
		sums.set(key, (sums.get(key) ?? 0) + row.count);
	}
	return [...sums];
};

const commonest = (counts: [string, number][]): Counts => {
	const sorted = counts.sort(([, one], [, other]) => other - one);
	const others = sorted.slice(releasesMax).reduce((sum, [, count]) => sum + count, 0);
	return others === 0 ? sorted : [...sorted.slice(0, releasesMax), ['(others)', others]];
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
