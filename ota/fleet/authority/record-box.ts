import type {Transaction} from 'kysely';
import type {BoxKind, DeviceId} from '#appliance/contract/box-schema.ts';
import type {FleetTables} from '#ota/fleet/store/fleet-database.ts';

export type EnrolledBox = {
	readonly id: DeviceId;
	readonly kind: BoxKind;
	readonly site: string | null;
	readonly tags: readonly string[];
	readonly enrolledMs: number;
	/** It is enrolled already, and keeps its kind, site and tags. */
	readonly replaces: boolean;
};

/** Makes the box known to the registry. `recorded: false`: the name is taken, and this is no replacement. */
export type RecordBox = (
	transaction: Transaction<FleetTables>,
	box: EnrolledBox,
) => Promise<{readonly recorded: boolean}>;

export const recordBox: RecordBox = async (transaction, box) => {
	const {numInsertedOrUpdatedRows} = await transaction
		.insertInto('box')
		.values({
			id: box.id,
			kind: box.kind,
			site: box.site,
			tags: JSON.stringify(box.tags),
			enrolled_ms: box.enrolledMs,
		})
		.onConflict((conflict) => conflict.column('id').doNothing())
		.executeTakeFirst();
	if (numInsertedOrUpdatedRows === 1n) {
		return {recorded: true};
	}
	if (box.replaces) {
		await transaction
			.updateTable('box')
			.set({revoked_ms: null, enrolled_ms: box.enrolledMs})
			.where('id', '=', box.id)
			.execute();
	}
	return {recorded: box.replaces};
};
