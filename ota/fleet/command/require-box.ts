import {notFound} from '#ota/fleet/api/api-error.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

/** Refuses a box that is unknown or revoked: it would never take the command. */
export const requireBox = async (database: FleetDatabase, id: string): Promise<void> => {
	const box = await database.selectFrom('box').select('revoked_ms').where('id', '=', id).executeTakeFirst();
	if (box === undefined || box.revoked_ms !== null) {
		throw notFound('box');
	}
};
