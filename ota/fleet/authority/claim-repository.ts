import {randomUUID} from 'node:crypto';
import type {Kysely, Selectable} from 'kysely';
import {z} from 'zod';
import {boxKindSchema, type DeviceId, deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {siteIdSchema, tagSchema} from '#ota/contract/box-api.ts';
import {type ClaimState, type ClaimSummary, claimTagsMax} from '#ota/contract/claim-api.ts';
import {hashSecret, makeSecret} from '#ota/fleet/account/secret.ts';
import type {ClaimTable} from '#ota/fleet/store/authority-tables.ts';
import type {FleetTables} from '#ota/fleet/store/fleet-database.ts';

export type ClaimRow = Selectable<ClaimTable>;

export type NewClaim = {
	readonly deviceId: DeviceId | undefined;
	readonly kind: ClaimSummary['kind'];
	readonly site: string | undefined;
	readonly tags: readonly string[];
	readonly replaces: boolean;
	readonly createdMs: number;
	readonly createdBy: string;
	readonly expiresMs: number;
};

/** A used or expired claim is of interest for so long; then it goes, so that the list stays short. */
export const claimKeptMs = 400 * 86_400_000;

const rowsPerInsert = 200;
const tagsSchema = z.array(tagSchema).max(claimTagsMax);

/** Keeps the claims; answers each with its token, which only its hash is kept of. */
export const insertClaims = async (
	database: Kysely<FleetTables>,
	claims: readonly NewClaim[],
): Promise<readonly {readonly row: ClaimRow; readonly token: string}[]> => {
	const made = claims.map((claim) => {
		const token = makeSecret();
		const row: ClaimRow = {
			id: randomUUID(),
			token_hash: hashSecret(token),
			device_id: claim.deviceId ?? null,
			kind: claim.kind,
			site: claim.site ?? null,
			tags: JSON.stringify([...new Set(claim.tags)].sort()),
			replaces: claim.replaces ? 1 : 0,
			created_ms: claim.createdMs,
			created_by: claim.createdBy,
			expires_ms: claim.expiresMs,
			used_ms: null,
			used_by: null,
			used_key: null,
			certificate_serial: null,
		};
		return {row, token};
	});
	for (let index = 0; index < made.length; index += rowsPerInsert) {
		const rows = made.slice(index, index + rowsPerInsert).map(({row}) => row);
		await database.insertInto('claim').values(rows).execute();
	}
	return made;
};

export const findClaimByToken = async (database: Kysely<FleetTables>, token: string): Promise<ClaimRow | undefined> =>
	await database.selectFrom('claim').selectAll().where('token_hash', '=', hashSecret(token)).executeTakeFirst();

/** True for exactly one of those who try. */
export const consumeClaim = async (
	database: Kysely<FleetTables>,
	options: {
		readonly id: string;
		readonly box: DeviceId;
		readonly keyHash: string;
		readonly serial: string;
		readonly nowMs: number;
	},
): Promise<boolean> => {
	const {numUpdatedRows} = await database
		.updateTable('claim')
		.set({
			used_ms: options.nowMs,
			used_by: options.box,
			used_key: options.keyHash,
			certificate_serial: options.serial,
		})
		.where('id', '=', options.id)
		.where('used_ms', 'is', null)
		.executeTakeFirst();
	return numUpdatedRows === 1n;
};

/** False when it is not open any more. */
export const deleteOpenClaim = async (
	database: Kysely<FleetTables>,
	{id, nowMs}: {readonly id: string; readonly nowMs: number},
): Promise<boolean> => {
	const {numDeletedRows} = await database
		.deleteFrom('claim')
		.where('id', '=', id)
		.where('used_ms', 'is', null)
		.where('expires_ms', '>', nowMs)
		.executeTakeFirst();
	return numDeletedRows === 1n;
};

export const deleteOldClaims = async (database: Kysely<FleetTables>, nowMs: number): Promise<void> => {
	await database
		.deleteFrom('claim')
		.where('expires_ms', '<', nowMs - claimKeptMs)
		.execute();
};

/** Newest first, one more than `limit`. */
export const listClaims = async (
	database: Kysely<FleetTables>,
	options: {
		readonly state: ClaimState | undefined;
		readonly after: readonly [createdMs: number, id: string] | undefined;
		readonly limit: number;
		readonly nowMs: number;
	},
): Promise<readonly ClaimRow[]> => {
	const {state, after, limit, nowMs} = options;
	let query = database.selectFrom('claim').selectAll();
	if (state === 'used') {
		query = query.where('used_ms', 'is not', null);
	} else if (state !== undefined) {
		query = query.where('used_ms', 'is', null).where('expires_ms', state === 'open' ? '>' : '<=', nowMs);
	}
	if (after !== undefined) {
		const [createdMs, id] = after;
		query = query.where(({eb, or, and}) =>
			or([eb('created_ms', '<', createdMs), and([eb('created_ms', '=', createdMs), eb('id', '<', id)])]),
		);
	}
	return await query
		.orderBy('created_ms', 'desc')
		.orderBy('id', 'desc')
		.limit(limit + 1)
		.execute();
};

export const tagsOf = (row: ClaimRow): readonly string[] => tagsSchema.parse(JSON.parse(row.tags));

export const toClaimSummary = (row: ClaimRow, nowMs: number): ClaimSummary => ({
	id: row.id,
	deviceId: row.device_id === null ? null : deviceIdSchema.parse(row.device_id),
	kind: boxKindSchema.parse(row.kind),
	site: row.site === null ? null : siteIdSchema.parse(row.site),
	tags: [...tagsOf(row)],
	replaces: row.replaces === 1,
	state: row.used_ms !== null ? 'used' : row.expires_ms <= nowMs ? 'expired' : 'open',
	createdMs: row.created_ms,
	createdBy: row.created_by,
	expiresMs: row.expires_ms,
	usedMs: row.used_ms,
	usedBy: row.used_by === null ? null : deviceIdSchema.parse(row.used_by),
});
