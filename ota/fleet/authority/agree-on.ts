import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

/** The value that the first of the servers wrote, which may be this one. */
export const agreeOn = async (
	database: FleetDatabase,
	id: 'root' | 'share-group',
	proposal: string,
): Promise<string> => {
	await database
		.insertInto('authority')
		.values({id, value: proposal})
		.onConflict((conflict) => conflict.column('id').doNothing())
		.execute();
	const {value} = await database.selectFrom('authority').select('value').where('id', '=', id).executeTakeFirstOrThrow();
	return value;
};
