import type {Claim} from '#appliance/identity/claim-schema.ts';
import type {Clock} from '#appliance/time/clock.ts';
import type {ClaimRequest, CreatedClaim} from '#ota/contract/claim-api.ts';
import {apiError} from '#ota/fleet/api/api-error.ts';
import {dayMs} from '#ota/fleet/authority/authority-config.ts';
import type {AuthorityErrorCode} from '#ota/fleet/authority/authority-error.ts';
import {deleteOldClaims, insertClaims, type NewClaim, toClaimSummary} from '#ota/fleet/authority/claim-repository.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

export type ClaimEndpointOptions = {
	readonly database: FleetDatabase;
	readonly clock: Clock;
	/** What every claim file of this fleet says today. */
	readonly claimFile: () => Promise<Omit<Claim, 'token' | 'deviceId'>>;
};

const namesPerQuery = 500;

/** Each claim with the file that the box wants: the only time that its token is told. */
export const makeClaims = async (
	{database, clock, claimFile}: ClaimEndpointOptions,
	claims: readonly NewClaim[],
): Promise<CreatedClaim[]> => {
	const file = await claimFile();
	await deleteOldClaims(database, clock.nowMs());
	const made = await insertClaims(database, claims);
	return made.map(({row, token}) => {
		const claim = toClaimSummary(row, clock.nowMs());
		return {claim, file: {...file, token, ...(claim.deviceId === null ? {} : {deviceId: claim.deviceId})}};
	});
};

export const newClaimsOf = (
	{deviceIds, count, kind, site, tags, lifeDays}: ClaimRequest,
	{nowMs, createdBy}: {readonly nowMs: number; readonly createdBy: string},
): readonly NewClaim[] =>
	(deviceIds ?? Array.from({length: count ?? 1}, () => undefined)).map((deviceId) => ({
		...{deviceId, kind, site, tags, createdBy},
		replaces: false,
		createdMs: nowMs,
		expiresMs: nowMs + lifeDays * dayMs,
	}));

export const refuseEnrolled = async (database: FleetDatabase, deviceIds: readonly string[]): Promise<void> => {
	for (let index = 0; index < deviceIds.length; index += namesPerQuery) {
		const names = deviceIds.slice(index, index + namesPerQuery);
		const taken = await database.selectFrom('box').select('id').where('id', 'in', names).limit(1).executeTakeFirst();
		if (taken !== undefined) {
			throw apiError<AuthorityErrorCode>('OTA_BOX_ENROLLED', {
				status: 409,
				message: `${taken.id} is enrolled already; a swapped box is claimed at its own page.`,
				errors: [{in: 'body', field: 'deviceIds', message: `${taken.id} is enrolled already`}],
			});
		}
	}
};
