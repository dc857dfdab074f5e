import type {Transaction} from 'kysely';
import type {FleetTables} from '#ota/fleet/store/fleet-database.ts';

/**
 * The next number of a sequence without holes. Its row is locked until the transaction ends, so that whoever takes a
 * turn sees all that was written in the turns before, on both engines.
 */
export const takeTurn = async (transaction: Transaction<FleetTables>, name: string): Promise<number> => {
	const {value} = await transaction
		.insertInto('counter')
		.values({name, value: 1})
		.onConflict((conflict) =>
			conflict.column('name').doUpdateSet((expression) => ({value: expression('counter.value', '+', 1)})),
		)
		.returning('value')
		.executeTakeFirstOrThrow();
	return Number(value);
};
