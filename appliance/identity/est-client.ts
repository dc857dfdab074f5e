import {once} from 'node:events';
import type {IncomingMessage} from 'node:http';
import {request} from 'node:https';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {IdentityErrorCode} from '#appliance/identity/error-code.ts';
import {readCertsOnly} from '#appliance/identity/read-certificates.ts';

/** An answer of more bytes is refused; a chain has some kilobytes. */
const answerBytesMax = 256 * 1024;
const requestTimeoutMs = 30_000;
/** The longest that a server may ask us to wait by Retry-After. */
const retryAfterMaxMs = 3_600_000;

export type EstOptions = {
	/** Such as `https://fleet.example:8443/.well-known/est`. */
	readonly estUrl: string;
	/** Whom the server's certificate must chain to. */
	readonly caPem: string;
	readonly signal: AbortSignal;
};

export type EstProof =
	/** simpleenroll: the one-time token of the claim. */
	| {readonly kind: 'token'; readonly token: string}
	/** simplereenroll: mutual TLS with the certificate that is to be renewed. */
	| {readonly kind: 'certificate'; readonly certificatePem: string; readonly keyPem: string};

/** RFC 7030 section 4.1: the certificates that the fleet's authority is to be verified by from now on. */
export const fetchCaCertificates = async (options: EstOptions): Promise<readonly string[]> =>
	readCertsOnly(await ask(options, {path: 'cacerts'}));

/** RFC 7030 sections 4.2.1 and 4.2.2: a certificate for the key of the request (base64 of PKCS #10). */
export const enrol = async (
	options: EstOptions & {readonly request: string; readonly proof: EstProof},
): Promise<readonly string[]> => {
	const path = options.proof.kind === 'token' ? 'simpleenroll' : 'simplereenroll';
	return readCertsOnly(await ask(options, {path, body: options.request, proof: options.proof}));
};

type Question = {readonly path: string; readonly body?: string; readonly proof?: EstProof};

const ask = async (options: EstOptions, question: Question): Promise<string> => {
	const signal = AbortSignal.any([options.signal, AbortSignal.timeout(requestTimeoutMs)]);
	let response: IncomingMessage;
	let text: string;
	try {
		response = await send(options, question, signal);
		text = await readText(response);
	} catch (error) {
		options.signal.throwIfAborted();
		if (error instanceof CodedError) {
			throw error;
		}
		throw failure('APPLIANCE_EST_UNREACHABLE', 'The fleet’s authority cannot be reached.', options, error);
	}
	checkStatus(response, options);
	return text;
};

const send = async (
	{estUrl, caPem}: EstOptions,
	{path, body, proof}: Question,
	signal: AbortSignal,
): Promise<IncomingMessage> => {
	const outgoing = request(`${estUrl.replace(/\/$/u, '')}/${path}`, {
		method: body === undefined ? 'GET' : 'POST',
		ca: caPem,
		// Not kept alive: the next question may come with another certificate.
		agent: false,
		signal,
		headers: {
			...(body === undefined ? {} : {'content-type': 'application/pkcs10', 'content-transfer-encoding': 'base64'}),
			...(proof?.kind === 'token' ? {authorization: `Bearer ${proof.token}`} : {}),
		},
		...(proof?.kind === 'certificate' ? {cert: proof.certificatePem, key: proof.keyPem} : {}),
	});
	// What breaks after the answer began is told by the answer's own stream.
	outgoing.on('error', () => undefined);
	const answered = once(outgoing, 'response', {signal}) as Promise<[IncomingMessage]>;
	outgoing.end(body);
	const [response] = await answered;
	return response;
};

const readText = async (response: IncomingMessage): Promise<string> => {
	const chunks: Buffer[] = [];
	let bytes = 0;
	for await (const chunk of response as AsyncIterable<Buffer>) {
		bytes += chunk.length;
		if (bytes > answerBytesMax) {
			response.destroy();
			throw new CodedError<IdentityErrorCode>('APPLIANCE_EST_ANSWER_INVALID', {
				message: `The authority answered more than ${answerBytesMax} bytes.`,
				retryable: true,
			});
		}
		chunks.push(chunk);
	}
	return Buffer.concat(chunks).toString('latin1');
};

const checkStatus = ({statusCode = 0, headers}: IncomingMessage, options: EstOptions): void => {
	if (statusCode === 200) {
		return;
	}
	if (statusCode === 202 || statusCode === 429 || statusCode === 503) {
		const seconds = Number(headers['retry-after']);
		const retryAfterMs = Number.isFinite(seconds) ? Math.min(retryAfterMaxMs, Math.max(0, seconds * 1000)) : 0;
		throw failure('APPLIANCE_EST_LATER', 'The authority wants to be asked again later.', options, undefined, {
			retryAfterMs,
		});
	}
	const code = statusCode >= 400 && statusCode < 500 ? 'APPLIANCE_EST_REFUSED' : 'APPLIANCE_EST_FAILED';
	const message =
		code === 'APPLIANCE_EST_REFUSED'
			? 'The authority refused; a used or expired token needs a new claim file.'
			: 'The authority failed.';
	throw failure(code, message, options, undefined, {status: statusCode});
};

const failure = (
	code: IdentityErrorCode,
	message: string,
	{estUrl}: EstOptions,
	cause?: unknown,
	details: Readonly<Record<string, unknown>> = {},
): CodedError<IdentityErrorCode> =>
	new CodedError(code, {message, cause, details: {estUrl, ...details}, retryable: code !== 'APPLIANCE_EST_REFUSED'});
