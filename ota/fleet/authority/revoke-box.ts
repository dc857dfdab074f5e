import {sql} from 'kysely';
import type {Clock} from '#appliance/time/clock.ts';
import type {RevocationReason} from '#ota/contract/claim-api.ts';
import {notFound} from '#ota/fleet/api/api-error.ts';
import {
	findCertificate,
	revokeCertificates,
	type StoredCertificate,
} from '#ota/fleet/authority/certificate-repository.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

type RevokeOptions = {
	readonly database: FleetDatabase;
	readonly clock: Clock;
	readonly reason: RevocationReason;
};

/** All certificates of a box, and every open claim of its name: it comes back only by one that is made afterwards. */
export const revokeBox = async (
	box: string,
	{database, clock, reason}: RevokeOptions,
): Promise<readonly StoredCertificate[]> =>
	await database.transaction().execute(async (transaction) => {
		const nowMs = clock.nowMs();
		const {numUpdatedRows} = await transaction
			.updateTable('box')
			.set({
				revoked_ms: nowMs,
				// Nobody listens to it from now on, not even to the end of its session.
				presence: sql<string>`case when presence = 'online' then 'offline' else presence end`,
				health: sql<string>`case when health = 'ok' then 'unknown' else health end`,
			})
			.where('id', '=', box)
			.executeTakeFirst();
		if (numUpdatedRows === 0n) {
			throw notFound('box');
		}
		await transaction.deleteFrom('claim').where('device_id', '=', box).where('used_ms', 'is', null).execute();
		return await revokeCertificates(transaction, {of: {box}, reason, cut: true, nowMs});
	});

/** One certificate. A box without another one is cut off; one that was renewed comes back with the new one. */
export const revokeCertificate = async (
	serial: string,
	{database, clock, reason}: RevokeOptions,
): Promise<readonly StoredCertificate[]> => {
	const revoked = await revokeCertificates(database, {of: {serial}, reason, cut: true, nowMs: clock.nowMs()});
	if (revoked.length === 0 && (await findCertificate(database, serial)) === undefined) {
		throw notFound('certificate');
	}
	return revoked;
};
