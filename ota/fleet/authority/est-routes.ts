import Router, {type RouterContext} from '@koa/router';
import {X509Certificate, X509Certificates} from '@peculiar/x509';
import type {Logger} from '#appliance/log/logger.ts';
import {apiError} from '#ota/fleet/api/api-error.ts';
import type {AuthorityErrorCode} from '#ota/fleet/authority/authority-error.ts';
import type {StoredCertificate} from '#ota/fleet/authority/certificate-repository.ts';
import {type EnrolOptions, enrolBox} from '#ota/fleet/authority/enrol-box.ts';
import type {RevocationPublisher} from '#ota/fleet/authority/publish-revocations.ts';
import {readSigningRequest, signingRequestBytesMax} from '#ota/fleet/authority/read-signing-request.ts';
import {renewCertificate} from '#ota/fleet/authority/renew-certificate.ts';
import type {DeviceState} from '#ota/fleet/device/device-state.ts';
import {readSmallBody} from '#ota/fleet/device/read-small-body.ts';

export const estPath = '/.well-known/est';
export const revocationsPath = '/revocations.pem';

const base64LineCharacters = 64;
const tokenPattern = /^Bearer ([\w.~-]{16,512})$/u;

export type EstOptions = EnrolOptions & {
	readonly lateRenewalDays: number;
	readonly revocations: RevocationPublisher;
	readonly logger: Logger;
	/** A box has come, or has a new key in the place of the old one. */
	readonly onEnrolled: (enrolled: {readonly box: string; readonly replaced: boolean}) => void;
	readonly bodyTimeoutMs?: number;
};

/** EST (RFC 7030, as clarified by RFC 8951) for boxes: who to trust, the first certificate, and the next one. */
export const createEstRoutes = (options: EstOptions): Router<DeviceState> => {
	const {authority, logger} = options;
	const router = new Router<DeviceState>();

	router.get(`${estPath}/cacerts`, (context) => answerCertificates(context, authority.chain));

	router.post(`${estPath}/simpleenroll`, async (context) => {
		const token = tokenPattern.exec(context.get('authorization'))?.[1];
		if (token === undefined) {
			context.set('www-authenticate', 'Bearer realm="estrealm"');
			throw apiError<AuthorityErrorCode>('OTA_CLAIM_UNKNOWN', {
				status: 401,
				message: 'A one-time token is needed: Authorization: Bearer <token of the claim file>.',
			});
		}
		const request = await readRequest(context, options);
		const {certificate, isNew, replaced} = await enrolBox(options, {token, request});
		const {box, serial} = certificate;
		logger.info({box, serial, isNew, replaced}, 'box enrolled');
		if (isNew) {
			options.onEnrolled({box, replaced});
		}
		answerIssued(context, certificate);
	});

	router.post(`${estPath}/simplereenroll`, async (context) => {
		const fingerprint = context.state.deviceFingerprint;
		if (fingerprint === undefined) {
			throw apiError<AuthorityErrorCode>('OTA_DEVICE_CERTIFICATE_REQUIRED', {
				status: 401,
				message: 'Renewal needs the certificate that is to be renewed (mutual TLS).',
			});
		}
		const request = await readRequest(context, options);
		const certificate = await renewCertificate(options, {fingerprint, request});
		logger.info({box: certificate.box, serial: certificate.serial}, 'certificate renewed');
		answerIssued(context, certificate);
	});
	// For a broker that somebody else runs; the list is signed, and names nobody but by serial.
	router.get(revocationsPath, async (context) => {
		const list = await options.revocations.current();
		if (list !== undefined) {
			context.type = 'application/x-pem-file';
			context.lastModified = new Date(list.this_update_ms);
			context.body = list.pem;
		}
	});
	return router;
};

type Context = RouterContext<DeviceState>;

const readRequest = async (context: Context, {bodyTimeoutMs}: EstOptions) => {
	// Type and encoding are not looked at: RFC 8951 section 3.1 has the body base64, whatever the headers say.
	try {
		const body = await readSmallBody(context.req, {
			bytesMax: signingRequestBytesMax,
			...(bodyTimeoutMs === undefined ? {} : {timeoutMs: bodyTimeoutMs}),
		});
		return await readSigningRequest(body.toString('latin1'));
	} catch (error) {
		// What is left of a refused body would be taken for the next request.
		context.set('connection', 'close');
		throw error;
	}
};

/** RFC 7030 section 4.2.3: only the certificate that was issued. */
const answerIssued = (context: Context, {pem}: StoredCertificate): void =>
	answerCertificates(context, [new X509Certificate(pem)]);

const answerCertificates = (context: Context, certificates: readonly X509Certificate[]): void => {
	const base64 = Buffer.from(new X509Certificates([...certificates]).export('raw')).toString('base64');
	context.type = 'application/pkcs7-mime; smime-type=certs-only';
	context.set('content-transfer-encoding', 'base64');
	context.set('cache-control', 'no-store');
	context.body = `${base64.match(new RegExp(`.{1,${base64LineCharacters}}`, 'gu'))?.join('\r\n')}\r\n`;
};
