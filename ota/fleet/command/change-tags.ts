import {z} from 'zod';
import {tagSchema} from '#ota/contract/box-api.ts';
import {apiError, editConflict, notFound} from '#ota/fleet/api/api-error.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

/** Somebody else may change the box between the reading and the writing; after so many times it is refused. */
const triesMax = 4;
const tagsMax = 32;
const tagsSchema = z.array(tagSchema);

export type TagChange = {readonly add: readonly string[]; readonly remove: readonly string[]};

/** Adds and takes away tags of one box, whatever others do to it meanwhile; what is in both is taken away. */
export const changeTags = async (database: FleetDatabase, id: string, change: TagChange): Promise<void> => {
	for (let tries = 0; tries < triesMax; tries += 1) {
		const box = await database
			.selectFrom('box')
			.select(['tags', 'edit_version', 'revoked_ms'])
			.where('id', '=', id)
			.executeTakeFirst();
		if (box === undefined || box.revoked_ms !== null) {
			throw notFound('box');
		}
		const tags = new Set(tagsSchema.parse(JSON.parse(box.tags)))
			.union(new Set(change.add))
			.difference(new Set(change.remove));
		if (tags.size > tagsMax) {
			throw apiError('OTA_API_INVALID', {status: 400, message: `A box has at most ${tagsMax} tags.`});
		}
		const {numUpdatedRows} = await database
			.updateTable('box')
			.set({tags: JSON.stringify([...tags].toSorted()), edit_version: box.edit_version + 1})
			.where('id', '=', id)
			.where('edit_version', '=', box.edit_version)
			.executeTakeFirst();
		if (numUpdatedRows > 0n) {
			return;
		}
	}
	throw editConflict();
};
