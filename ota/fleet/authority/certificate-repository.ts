import type {Kysely, Selectable} from 'kysely';
import {z} from 'zod';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {type CertificateRow, certificateSchema, type RevocationReason} from '#ota/contract/claim-api.ts';
import {fingerprintOf, type IssuedCertificate} from '#ota/fleet/authority/open-authority.ts';
import type {CertificateTable} from '#ota/fleet/store/authority-tables.ts';
import type {FleetTables} from '#ota/fleet/store/fleet-database.ts';

export type StoredCertificate = Selectable<CertificateTable>;

/** Certificates of one box that a page lists. */
export const certificateListMax = 200;
const originSchema = z.enum(['claim', 'renewal']);

export const insertCertificate = async (
	database: Kysely<FleetTables>,
	options: {
		readonly issued: IssuedCertificate;
		readonly box: string;
		readonly keyHash: string;
		readonly origin: 'claim' | 'renewal';
		readonly nowMs: number;
	},
): Promise<StoredCertificate> => {
	const {certificate, pem} = options.issued;
	const row: StoredCertificate = {
		serial: certificate.serialNumber.toLowerCase(),
		box: options.box,
		fingerprint: fingerprintOf(certificate.rawData),
		key_hash: options.keyHash,
		not_before_ms: certificate.notBefore.getTime(),
		not_after_ms: certificate.notAfter.getTime(),
		issued_ms: options.nowMs,
		origin: options.origin,
		pem,
		superseded_ms: null,
		revoked_ms: null,
		revoked_reason: null,
		cut_pending: 0,
	};
	await database.insertInto('certificate').values(row).execute();
	return row;
};

export const findCertificate = async (
	database: Kysely<FleetTables>,
	serial: string,
): Promise<StoredCertificate | undefined> =>
	await database.selectFrom('certificate').selectAll().where('serial', '=', serial).executeTakeFirst();

export const findCertificateByFingerprint = async (
	database: Kysely<FleetTables>,
	fingerprint: string,
): Promise<StoredCertificate | undefined> =>
	await database.selectFrom('certificate').selectAll().where('fingerprint', '=', fingerprint).executeTakeFirst();

export const findNewestCertificate = async (
	database: Kysely<FleetTables>,
	box: string,
): Promise<StoredCertificate | undefined> =>
	await database
		.selectFrom('certificate')
		.selectAll()
		.where('box', '=', box)
		.orderBy('issued_ms', 'desc')
		.orderBy('serial', 'desc')
		.limit(1)
		.executeTakeFirst();

export const listCertificates = async (
	database: Kysely<FleetTables>,
	box: string,
): Promise<readonly StoredCertificate[]> =>
	await database
		.selectFrom('certificate')
		.selectAll()
		.where('box', '=', box)
		.orderBy('issued_ms', 'desc')
		.orderBy('serial', 'desc')
		.limit(certificateListMax)
		.execute();

/** All earlier ones of the box. They stay good until their own end: the answer with the new one may be lost. */
export const supersedeOthers = async (
	database: Kysely<FleetTables>,
	{box, serial, nowMs}: {readonly box: string; readonly serial: string; readonly nowMs: number},
): Promise<void> => {
	await database
		.updateTable('certificate')
		.set({superseded_ms: nowMs})
		.where('box', '=', box)
		.where('serial', '!=', serial)
		.where('superseded_ms', 'is', null)
		.execute();
};

/**
 * Revokes those of a box (or one) that are not, and answers them. `cut`: whoever uses one now is thrown out of the
 * broker; without it the list of revocations keeps them out from the next connection.
 */
export const revokeCertificates = async (
	database: Kysely<FleetTables>,
	options: {
		readonly of: {readonly box: string; readonly exceptSerial?: string} | {readonly serial: string};
		readonly reason: RevocationReason;
		readonly cut: boolean;
		readonly nowMs: number;
	},
): Promise<readonly StoredCertificate[]> => {
	const {of, reason, cut, nowMs} = options;
	let query = database
		.updateTable('certificate')
		.set({revoked_ms: nowMs, revoked_reason: reason, cut_pending: cut ? 1 : 0})
		.where('revoked_ms', 'is', null);
	if ('serial' in of) {
		query = query.where('serial', '=', of.serial);
	} else {
		query = query.where('box', '=', of.box);
		if (of.exceptSerial !== undefined) {
			query = query.where('serial', '!=', of.exceptSerial);
		}
	}
	return await query.returningAll().execute();
};

/** Names of boxes that are to be thrown out of the broker. */
export const boxesToCut = async (database: Kysely<FleetTables>): Promise<readonly string[]> => {
	const rows = await database
		.selectFrom('certificate')
		.select('box')
		.distinct()
		.where('cut_pending', '=', 1)
		.limit(certificateListMax)
		.execute();
	return rows.map(({box}) => box);
};

/** What was revoked after `beforeMs` waits for the next turn. */
export const markCut = async (
	database: Kysely<FleetTables>,
	{box, beforeMs}: {readonly box: string; readonly beforeMs: number},
): Promise<void> => {
	await database
		.updateTable('certificate')
		.set({cut_pending: 0})
		.where('box', '=', box)
		.where('cut_pending', '=', 1)
		.where('revoked_ms', '<=', beforeMs)
		.execute();
};

const stateOf = (row: StoredCertificate, nowMs: number): CertificateRow['state'] => {
	if (row.revoked_ms !== null) {
		return 'revoked';
	}
	if (row.not_after_ms <= nowMs) {
		return 'expired';
	}
	return row.superseded_ms === null ? 'valid' : 'superseded';
};

export const toCertificateRow = (row: StoredCertificate, nowMs: number): CertificateRow => ({
	serial: row.serial,
	box: deviceIdSchema.parse(row.box),
	fingerprint: row.fingerprint,
	notBeforeMs: row.not_before_ms,
	notAfterMs: row.not_after_ms,
	issuedMs: row.issued_ms,
	origin: originSchema.parse(row.origin),
	state: stateOf(row, nowMs),
	revokedMs: row.revoked_ms,
	revokedReason: certificateSchema.shape.revokedReason.parse(row.revoked_reason),
});
