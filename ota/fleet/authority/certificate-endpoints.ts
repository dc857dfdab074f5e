import {z} from 'zod';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {
	authoritySchema,
	certificatePageSchema,
	certificateParametersSchema,
	revokeAnswerSchema,
	revokeRequestSchema,
} from '#ota/contract/claim-api.ts';
import {type AnyEndpoint, endpoint} from '#ota/fleet/api/endpoint.ts';
import {
	listCertificates,
	type StoredCertificate,
	toCertificateRow,
} from '#ota/fleet/authority/certificate-repository.ts';
import {type Authority, fingerprintOf} from '#ota/fleet/authority/open-authority.ts';
import type {RevocationPublisher} from '#ota/fleet/authority/publish-revocations.ts';
import {revokeBox, revokeCertificate} from '#ota/fleet/authority/revoke-box.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

export type CertificateEndpointOptions = {
	readonly database: FleetDatabase;
	readonly authority: Authority;
	readonly revocations: RevocationPublisher;
	readonly clock: Clock;
	readonly onRevoked: (boxes: readonly string[]) => void;
};

const boxParameters = z.strictObject({id: deviceIdSchema});

export const createCertificateEndpoints = (options: CertificateEndpointOptions): readonly AnyEndpoint[] => {
	const {database, clock} = options;

	const answerRevoked = (rows: readonly StoredCertificate[]) => {
		options.onRevoked([...new Set(rows.map(({box}) => box))]);
		return {body: {revoked: rows.map((row) => toCertificateRow(row, clock.nowMs()))}};
	};

	return [
		endpoint({
			method: 'GET',
			path: '/boxes/{id}/certificates',
			operationId: 'listCertificates',
			tag: 'enrolment',
			summary: 'Certificates of a box, newest first.',
			role: 'viewer',
			parameters: boxParameters,
			answer: certificatePageSchema,
			handle: async ({parameters: {id}}) => {
				const rows = await listCertificates(database, id);
				return {body: {items: rows.map((row) => toCertificateRow(row, clock.nowMs()))}};
			},
		}),
		endpoint({
			method: 'POST',
			path: '/boxes/{id}/revoke',
			operationId: 'revokeBox',
			tag: 'enrolment',
			summary: 'Revokes all certificates of a box: it is cut off at once, and comes back only by a new claim.',
			role: 'admin',
			parameters: boxParameters,
			body: revokeRequestSchema,
			answer: revokeAnswerSchema,
			auditBox: ({id}) => id,
			handle: async ({parameters: {id}, body: {reason}}) =>
				answerRevoked(await revokeBox(id, {database, clock, reason})),
		}),
		endpoint({
			method: 'POST',
			path: '/certificates/{serial}/revoke',
			operationId: 'revokeCertificate',
			tag: 'enrolment',
			summary: 'Revokes one certificate.',
			role: 'admin',
			parameters: certificateParametersSchema,
			body: revokeRequestSchema,
			answer: revokeAnswerSchema,
			handle: async ({parameters: {serial}, body: {reason}}) =>
				answerRevoked(await revokeCertificate(serial, {database, clock, reason})),
		}),
		endpoint({
			method: 'GET',
			path: '/authority',
			operationId: 'getAuthority',
			tag: 'enrolment',
			summary: 'Whom boxes trust, until when, and the newest list of revocations.',
			role: 'viewer',
			answer: authoritySchema,
			handle: async () => ({body: await describe(options)}),
		}),
	];
};

const describe = async ({
	authority,
	revocations,
}: CertificateEndpointOptions): Promise<z.input<typeof authoritySchema>> => {
	const list = await revocations.current();
	return {
		fleet: authority.fleet,
		chain: authority.chain.map((each) => ({
			subject: each.subject,
			notAfterMs: each.notAfter.getTime(),
			fingerprint: fingerprintOf(each.rawData),
		})),
		caPem: authority.caPem,
		crl:
			list === undefined
				? null
				: {
						number: list.number,
						thisUpdateMs: list.this_update_ms,
						nextUpdateMs: list.next_update_ms,
						entries: list.entries,
					},
	};
};
