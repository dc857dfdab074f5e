import {createHash, randomUUID} from 'node:crypto';
import {countPart, deletePart, insertPart, type PartCount} from '#ota/fleet/diagnostics/part-repository.ts';
import type {ObjectStore} from '#ota/fleet/object/object-store.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

/** Unlike any other, so that a server which is late overwrites nothing. */
export const partKeyOf = (item: string): string => `diagnostics/${item}/${randomUUID()}`;

/** Sends a part, or one that has grown, and lets it count. What does not count is not left in the store. */
export const storePart = async (
	{objects, database}: {readonly objects: ObjectStore; readonly database: FleetDatabase},
	{key, item, startBytes, bytes}: {key: string; item: string; startBytes: number; bytes: Buffer},
): Promise<PartCount> => {
	await insertPart(database, {key, item, startBytes});
	await objects.put(key, {body: bytes, sha256: createHash('sha256').update(bytes).digest('hex')});
	const counted = await countPart(database, {key, item, startBytes, sizeBytes: bytes.length});
	if (counted !== 'counted') {
		await objects.remove(key);
		await deletePart(database, key);
	}
	return counted;
};
