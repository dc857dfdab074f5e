import {CodedError} from '#appliance/error/coded-error.ts';
import type {DemoErrorCode} from '#demo/error-code.ts';
import {apiTokenCreatedSchema, sessionSchema} from '#ota/contract/account-api.ts';
import {problemSchema} from '#ota/contract/problem.ts';

const answerTimeoutMs = 30_000;

/**
 * Asks the fleet's API below `/api/v1`; answers the parsed JSON. Refusals carry the fleet's own words. `editVersion` is
 * what If-Match says.
 */
export type FleetClient = (
	method: 'GET' | 'POST' | 'PUT' | 'DELETE',
	path: string,
	body?: unknown,
	editVersion?: number,
) => Promise<unknown>;

type Credentials =
	| {readonly kind: 'token'; readonly token: string}
	| {readonly kind: 'cookie'; readonly cookie: string};

/** A client that shows an API token. */
export const openFleetClient = (options: {
	readonly url: string;
	readonly token: string;
	readonly signal: AbortSignal;
}): FleetClient => clientOf({...options, credentials: {kind: 'token', token: options.token}});

/** Signs in with a one-time password, chooses one of its own, and answers a token of the account's role. */
export const takeOver = async (options: {
	readonly url: string;
	readonly name: string;
	readonly oneTimePassword: string;
	readonly password: string;
	readonly role?: 'approver' | 'admin';
	readonly signal: AbortSignal;
}): Promise<string> => {
	const {url, name, oneTimePassword, password, role = 'admin', signal} = options;
	const first = await signIn({...options, password: oneTimePassword});
	const {account} = sessionSchema.parse(await first('GET', '/session'));
	if (account.mustChangePassword) {
		await first('PUT', '/session/password', {current: oneTimePassword, next: password});
	}
	const own = account.mustChangePassword ? await signIn({url, name, password, signal}) : first;
	const made = await own('POST', '/tokens', {name: 'demo', role, lifeDays: 1});
	return apiTokenCreatedSchema.parse(made).token;
};

const signIn = async (options: {
	readonly url: string;
	readonly name: string;
	readonly password: string;
	readonly signal: AbortSignal;
}): Promise<FleetClient> => {
	const {url, name, password, signal} = options;
	const response = await send({url, method: 'POST', path: '/session', body: {name, password}, headers: {}, signal});
	const cookie = response.headers
		.getSetCookie()
		.map((line) => line.split(';')[0])
		.join('; ');
	return clientOf({url, signal, credentials: {kind: 'cookie', cookie}});
};

const clientOf = (options: {
	readonly url: string;
	readonly credentials: Credentials;
	readonly signal: AbortSignal;
}): FleetClient => {
	const {url, credentials, signal} = options;
	const headers: Record<string, string> =
		credentials.kind === 'token'
			? {Authorization: `Bearer ${credentials.token}`}
			: {Cookie: credentials.cookie, Origin: url};
	return async (method, path, body, editVersion) => {
		const condition = editVersion === undefined ? {} : {'If-Match': `"${editVersion}"`};
		const response = await send({url, method, path, body, headers: {...headers, ...condition}, signal});
		const text = await response.text();
		return text === '' ? undefined : JSON.parse(text);
	};
};

const send = async (options: {
	readonly url: string;
	readonly method: string;
	readonly path: string;
	readonly body: unknown;
	readonly headers: Readonly<Record<string, string>>;
	readonly signal: AbortSignal;
}): Promise<Response> => {
	const {url, method, path, body, headers, signal} = options;
	const response = await fetch(`${url}/api/v1${path}`, {
		method,
		headers: {...headers, Origin: url, ...(body === undefined ? {} : {'Content-Type': 'application/json'})},
		...(body === undefined ? {} : {body: JSON.stringify(body)}),
		signal: AbortSignal.any([signal, AbortSignal.timeout(answerTimeoutMs)]),
	});
	if (!response.ok) {
		const problem = problemSchema.partial().safeParse(await response.json().catch(() => undefined)).data;
		throw new CodedError<DemoErrorCode>('DEMO_FLEET_REFUSED', {
			message: `The fleet refused ${method} ${path}: ${problem?.title ?? `status ${response.status}`}`,
			details: {status: response.status, ...problem},
		});
	}
	return response;
};
