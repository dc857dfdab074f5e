import type {DiagnosticsPartTable} from '#ota/fleet/store/diagnostics-tables.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

export type PartRow = DiagnosticsPartTable;

const orphansMax = 500;

/** Before its object is sent; once, however often it is. */
export const insertPart = async (
	database: FleetDatabase,
	{key, item, startBytes}: {readonly key: string; readonly item: string; readonly startBytes: number},
): Promise<void> => {
	await database
		.insertInto('diagnostics_part')
		.values({key, item, start_bytes: startBytes, size_bytes: 0})
		.onConflict((conflict) => conflict.column('key').doNothing())
		.execute();
};

export type PartCount = 'counted' | 'item-gone' | 'elsewhere';

/**
 * Its object is there: it counts from now on, if its item is still awaited and the parts that count end where it begins.
 * The item's row is written first, which makes servers that do this at the same time wait for each other.
 */
export const countPart = (
	database: FleetDatabase,
	{key, item, startBytes, sizeBytes}: {key: string; item: string; startBytes: number; sizeBytes: number},
): Promise<PartCount> =>
	database.transaction().execute(async (transaction) => {
		const locked = await transaction
			.updateTable('diagnostics_item')
			.set({state: 'receiving'})
			.where('id', '=', item)
			.where('state', 'in', ['requested', 'receiving'])
			.executeTakeFirst();
		if (locked.numUpdatedRows === 0n) {
			return 'item-gone';
		}
		const others = await transaction
			.selectFrom('diagnostics_part')
			.select(({fn}) => fn.sum<number | string | null>('size_bytes').as('bytes'))
			.where('item', '=', item)
			.where('key', '!=', key)
			.executeTakeFirst();
		if (Number(others?.bytes ?? 0) !== startBytes) {
			return 'elsewhere';
		}
		await transaction.updateTable('diagnostics_part').set({size_bytes: sizeBytes}).where('key', '=', key).execute();
		await transaction
			.updateTable('diagnostics_item')
			.set({size_bytes: startBytes + sizeBytes})
			.where('id', '=', item)
			.execute();
		return 'counted';
	});

/** Those of an item, in their order. */
export const listParts = async (database: FleetDatabase, item: string): Promise<readonly PartRow[]> =>
	await database
		.selectFrom('diagnostics_part')
		.selectAll()
		.where('item', '=', item)
		.orderBy('start_bytes')
		.orderBy('key')
		.execute();

/** Of items that are gone: a server died while it removed or sent them. */
export const listOrphans = async (database: FleetDatabase): Promise<readonly PartRow[]> =>
	await database
		.selectFrom('diagnostics_part')
		.selectAll()
		.where(({not, exists, selectFrom}) =>
			not(
				exists(
					selectFrom('diagnostics_item').select('id').whereRef('diagnostics_item.id', '=', 'diagnostics_part.item'),
				),
			),
		)
		.limit(orphansMax)
		.execute();

export const deletePart = async (database: FleetDatabase, key: string): Promise<void> => {
	await database.deleteFrom('diagnostics_part').where('key', '=', key).execute();
};
