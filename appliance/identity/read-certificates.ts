import 'reflect-metadata';

import {createPrivateKey, createPublicKey, X509Certificate} from 'node:crypto';
import {X509Certificates} from '@peculiar/x509';
import type {DeviceId} from '#appliance/contract/box-schema.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {IdentityErrorCode} from '#appliance/identity/error-code.ts';

/** Certificates of one answer; a chain has three. */
const certificatesMax = 16;

const invalid = (message: string, cause?: unknown): CodedError<IdentityErrorCode> =>
	new CodedError('APPLIANCE_EST_ANSWER_INVALID', {message, cause, retryable: true});

/** The certificates of a certs-only PKCS #7 in base64 (RFC 7030 sections 4.1.3 and 4.2.3), as PEM. */
export const readCertsOnly = (base64: string): readonly string[] => {
	if (!/^[A-Za-z0-9+/=\s]+$/u.test(base64)) {
		throw invalid('The authority answered something else than base64.');
	}
	let pems: readonly string[];
	try {
		const certificates = new X509Certificates();
		certificates.import(Buffer.from(base64, 'base64'));
		pems = [...certificates].map((each) => `${each.toString('pem')}\n`);
	} catch (error) {
		throw invalid('The authority answered something else than certificates in PKCS #7.', error);
	}
	if (pems.length === 0 || pems.length > certificatesMax) {
		throw invalid(`The authority answered ${pems.length} certificates; 1 to ${certificatesMax} are expected.`);
	}
	return pems;
};

/** Our certificate and the chain after it, from those of an answer. Refuses one that is not for this key and this box. */
export const orderChain = (
	pems: readonly string[],
	{deviceId, keyPem}: {readonly deviceId: DeviceId; readonly keyPem: string},
): string => {
	const ours = createPublicKey(createPrivateKey(keyPem)).export({type: 'spki', format: 'der'});
	const certificates = pems.map((pem) => new X509Certificate(pem));
	const leaf = certificates.find((each) => each.publicKey.export({type: 'spki', format: 'der'}).equals(ours));
	if (leaf === undefined) {
		throw invalid("The authority's certificate is not for this box's key.");
	}
	if (leaf.subject !== `CN=${deviceId}` && !leaf.subject.split('\n').includes(`CN=${deviceId}`)) {
		throw invalid(`The authority's certificate is for ${leaf.subject}, and this box is ${deviceId}.`);
	}
	const chain = [leaf];
	for (;;) {
		const last = chain.at(-1) ?? leaf;
		const issuer = certificates.find((each) => !chain.includes(each) && last.checkIssued(each));
		// A root is the verifier's to know (RFC 5246 section 7.4.2), and is not sent.
		if (issuer === undefined || issuer.checkIssued(issuer)) {
			return chain.map((each) => each.toString()).join('');
		}
		chain.push(issuer);
	}
};
