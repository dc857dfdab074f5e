import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

/** Takes `count` revisions of the fleet's one sequence of orders, and answers the first. Each is taken once, by whomever. */
export const takeRevisions = async (database: FleetDatabase, count: number): Promise<number> => {
	const {value} = await database
		.insertInto('counter')
		.values({name: 'order', value: count})
		.onConflict((conflict) => conflict.column('name').doUpdateSet((set) => ({value: set('counter.value', '+', count)})))
		.returning('value')
		.executeTakeFirstOrThrow();
	return value - count + 1;
};
