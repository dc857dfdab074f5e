import type {CodedError} from '#appliance/error/coded-error.ts';
import {apiError} from '#ota/fleet/api/api-error.ts';
import {dayMs} from '#ota/fleet/authority/authority-config.ts';
import type {AuthorityErrorCode} from '#ota/fleet/authority/authority-error.ts';
import {
	findCertificateByFingerprint,
	findNewestCertificate,
	insertCertificate,
	type StoredCertificate,
	supersedeOthers,
} from '#ota/fleet/authority/certificate-repository.ts';
import type {EnrolOptions} from '#ota/fleet/authority/enrol-box.ts';
import type {SigningRequest} from '#ota/fleet/authority/read-signing-request.ts';

/** The same key that asks again within this time gets the same certificate: its answer was lost. */
const repeatMs = 3_600_000;

const refuse = (code: AuthorityErrorCode, message: string): CodedError<AuthorityErrorCode> =>
	apiError(code, {status: 403, message});

/**
 * RFC 7030 section 4.2.2: a new certificate for the box that the old one names, for the same key or a new one. The old
 * one is superseded and stays good until its own end, because this answer may be lost. It is not put on the revocation
 * list, which brokers load as a whole at each change and which would otherwise grow with every renewal of the fleet.
 */
export const renewCertificate = async (
	options: Omit<EnrolOptions, 'recordBox'> & {readonly lateRenewalDays: number},
	{fingerprint, request}: {readonly fingerprint: string; readonly request: SigningRequest},
): Promise<StoredCertificate> =>
	await options.database.transaction().execute(async (transaction) => {
		const nowMs = options.clock.nowMs();
		const old = await findCertificateByFingerprint(transaction, fingerprint);
		if (old === undefined) {
			throw refuse('OTA_DEVICE_CERTIFICATE_FOREIGN', 'This certificate is none that the fleet gave to a box.');
		}
		if (old.revoked_ms !== null) {
			throw refuse('OTA_DEVICE_CERTIFICATE_REVOKED', 'This certificate was revoked: the box needs a new claim.');
		}
		if (old.not_after_ms + options.lateRenewalDays * dayMs <= nowMs) {
			throw refuse('OTA_DEVICE_CERTIFICATE_EXPIRED', 'This certificate ended too long ago: the box needs a new claim.');
		}
		if (request.deviceId !== undefined && request.deviceId !== old.box) {
			throw refuse('OTA_CLAIM_WRONG_BOX', `The certificate is of ${old.box}, and the request names another box.`);
		}
		const newest = await findNewestCertificate(transaction, old.box);
		if (
			newest !== undefined &&
			newest.serial !== old.serial &&
			newest.key_hash === request.keyHash &&
			newest.revoked_ms === null &&
			newest.issued_ms > nowMs - repeatMs
		) {
			return newest;
		}
		const issued = await options.authority.issueDevice({deviceId: old.box, publicKey: request.publicKey});
		const row = await insertCertificate(transaction, {
			...{issued, nowMs, box: old.box},
			keyHash: request.keyHash,
			origin: 'renewal',
		});
		await supersedeOthers(transaction, {box: old.box, serial: row.serial, nowMs});
		return row;
	});
