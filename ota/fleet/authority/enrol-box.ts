import type {Transaction} from 'kysely';
import {boxKindSchema, type DeviceId} from '#appliance/contract/box-schema.ts';
import type {CodedError} from '#appliance/error/coded-error.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {apiError} from '#ota/fleet/api/api-error.ts';
import type {AuthorityErrorCode} from '#ota/fleet/authority/authority-error.ts';
import {
	findCertificate,
	insertCertificate,
	revokeCertificates,
	type StoredCertificate,
} from '#ota/fleet/authority/certificate-repository.ts';
import {type ClaimRow, consumeClaim, findClaimByToken, tagsOf} from '#ota/fleet/authority/claim-repository.ts';
import type {Authority} from '#ota/fleet/authority/open-authority.ts';
import type {SigningRequest} from '#ota/fleet/authority/read-signing-request.ts';
import type {RecordBox} from '#ota/fleet/authority/record-box.ts';
import type {FleetDatabase, FleetTables} from '#ota/fleet/store/fleet-database.ts';

export type EnrolOptions = {
	readonly database: FleetDatabase;
	readonly authority: Authority;
	readonly recordBox: RecordBox;
	readonly clock: Clock;
};

export type Enrolment = {
	readonly certificate: StoredCertificate;
	/** False: the answer to this key was given before, and is given again. */
	readonly isNew: boolean;
	/** The key of a box that was enrolled before is out of use. */
	readonly replaced: boolean;
};

const refuse = (code: AuthorityErrorCode, status: 401 | 403 | 409, message: string): CodedError<AuthorityErrorCode> =>
	apiError(code, {status, message});

/**
 * Takes the token and gives a certificate, in one transaction. Of two that come with one token one wins; the same key
 * may ask again and gets the same certificate, so that an answer lost on the way strands no box.
 */
export const enrolBox = async (
	options: EnrolOptions,
	{token, request}: {readonly token: string; readonly request: SigningRequest},
): Promise<Enrolment> =>
	await options.database.transaction().execute(async (transaction) => {
		const claim = await findClaimByToken(transaction, token);
		if (claim === undefined) {
			throw refuse('OTA_CLAIM_UNKNOWN', 401, 'This token is none of the fleet: ask an operator for a new claim.');
		}
		if (claim.used_ms !== null) {
			return {certificate: await repeat(transaction, claim, request), isNew: false, replaced: false};
		}
		const nowMs = options.clock.nowMs();
		if (claim.expires_ms <= nowMs) {
			throw refuse('OTA_CLAIM_EXPIRED', 401, 'This token has expired: ask an operator for a new claim.');
		}
		const box = boxOf(claim, request);
		const issued = await options.authority.issueDevice({deviceId: box, publicKey: request.publicKey});
		const serial = issued.certificate.serialNumber.toLowerCase();
		if (!(await consumeClaim(transaction, {id: claim.id, box, keyHash: request.keyHash, serial, nowMs}))) {
			const taken = await findClaimByToken(transaction, token);
			return {certificate: await repeat(transaction, taken ?? claim, request), isNew: false, replaced: false};
		}
		const certificate = await insertCertificate(transaction, {
			...{issued, box, nowMs},
			keyHash: request.keyHash,
			origin: 'claim',
		});
		const replaced =
			claim.replaces === 1 &&
			(
				await revokeCertificates(transaction, {
					of: {box, exceptSerial: serial},
					reason: 'superseded',
					cut: true,
					nowMs,
				})
			).length > 0;
		const {recorded} = await options.recordBox(transaction, {
			id: box,
			kind: boxKindSchema.parse(claim.kind),
			site: claim.site,
			tags: tagsOf(claim),
			enrolledMs: nowMs,
			replaces: claim.replaces === 1,
		});
		if (!recorded) {
			throw refuse('OTA_BOX_ENROLLED', 409, `A box named ${box} is enrolled: an operator must claim it as swapped.`);
		}
		return {certificate, isNew: true, replaced};
	});

const repeat = async (
	transaction: Transaction<FleetTables>,
	claim: ClaimRow,
	request: SigningRequest,
): Promise<StoredCertificate> => {
	const certificate =
		claim.used_key === request.keyHash && claim.certificate_serial !== null
			? await findCertificate(transaction, claim.certificate_serial)
			: undefined;
	if (certificate === undefined || certificate.revoked_ms !== null) {
		throw refuse('OTA_CLAIM_USED', 401, 'This token was used by another key: ask an operator for a new claim.');
	}
	return certificate;
};

/** A claim of a name is for that name; the box may leave it out. Without one the box says who it is. */
const boxOf = (claim: ClaimRow, request: SigningRequest): DeviceId => {
	if (claim.device_id !== null && request.deviceId !== undefined && request.deviceId !== claim.device_id) {
		throw refuse(
			'OTA_CLAIM_WRONG_BOX',
			403,
			`This claim is for ${claim.device_id}, and the request names another box.`,
		);
	}
	const box = request.deviceId ?? (claim.device_id as DeviceId | null);
	if (box === null) {
		throw apiError<AuthorityErrorCode>('OTA_EST_REQUEST', {
			status: 400,
			message: 'The certificate request must name the box (CN), because this claim is for any.',
		});
	}
	return box;
};
