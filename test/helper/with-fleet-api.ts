import type {ExecutionContext} from 'ava';
import type Koa from 'koa';
import {createApp} from '#appliance/http/create-app.ts';
import {listen} from '#appliance/http/listen.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {AccountRole} from '#ota/contract/account-api.ts';
import {insertAccount} from '#ota/fleet/account/account-store.ts';
import {type Accounts, createAccounts} from '#ota/fleet/account/create-accounts.ts';
import {hashPassword} from '#ota/fleet/account/hash-password.ts';
import type {OidcSettings} from '#ota/fleet/account/oidc-settings.ts';
import {createApi} from '#ota/fleet/api/create-api.ts';
import type {AnyEndpoint} from '#ota/fleet/api/endpoint.ts';
import type {RateLimit} from '#ota/fleet/api/rate-limiter.ts';
import {createAuditEndpoints} from '#ota/fleet/audit/audit-endpoints.ts';
import {type AuditLog, createAuditLog} from '#ota/fleet/audit/audit-log.ts';
import type {DatabaseEngine} from '#ota/fleet/store/open-fleet-database.ts';
import {type TestFleetContext, withFleetContext} from '#test/helper/with-fleet-context.ts';

export type ApiAnswer = {
	readonly status: number;
	readonly headers: Headers;
	// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape.
	readonly body: any;
	readonly text: string;
};

export type ApiCall = {
	readonly body?: unknown;
	readonly cookie?: string;
	readonly token?: string;
	readonly headers?: Readonly<Record<string, string>>;
};

export type TestFleetApi = TestFleetContext & {
	readonly baseUrl: string;
	readonly accounts: Accounts;
	readonly audit: AuditLog;
	readonly endpoints: readonly AnyEndpoint[];
	/** `call('POST /session', {…})`, below /api/v1. */
	readonly call: (operation: string, call?: ApiCall) => Promise<ApiAnswer>;
	/** Signs in as a new account of this role; answers the cookie. */
	readonly signInAs: (role: AccountRole, name?: string) => Promise<string>;
};

export const testPassword = 'four unrelated words do';
let testPasswordHash: Promise<string> | undefined;

/** The API with accounts, audit and these endpoints, on a free port. */
export const withFleetApi = async (
	t: ExecutionContext,
	options: {
		readonly engine?: DatabaseEngine;
		readonly endpoints?: (context: TestFleetContext) => readonly AnyEndpoint[];
		readonly oidc?: OidcSettings;
		readonly port?: number;
		readonly anonymousLimit?: RateLimit;
		readonly accountLimit?: RateLimit;
		readonly logger?: Logger;
		/** Of another server's, to share it. */
		readonly databaseUrl?: string | undefined;
	} = {},
): Promise<TestFleetApi> => {
	const context = await withFleetContext(t, options.engine, {
		databaseUrl: options.databaseUrl,
		...(options.logger === undefined ? {} : {logger: options.logger}),
	});
	const audit = createAuditLog({database: context.store.database, clock: context.clock});
	const accounts = createAccounts(context, {
		isSecure: false,
		writeAudit: audit.write,
		...(options.oidc === undefined ? {} : {oidc: options.oidc}),
	});
	const endpoints = [
		...(accounts.part.endpoints ?? []),
		...createAuditEndpoints(audit),
		...(options.endpoints?.(context) ?? []),
	];
	const api = createApi({
		...context,
		endpoints,
		authenticate: accounts.authenticate,
		writeAudit: audit.write,
		anonymousLimit: options.anonymousLimit ?? {burst: 1000, perSecond: 1},
		accountLimit: options.accountLimit ?? {burst: 1000, perSecond: 1},
	});
	const app: Koa = createApp({logger: context.logger});
	if (accounts.oidcRouter !== undefined) {
		app.use(accounts.oidcRouter.routes());
	}
	app.use(api.routes());
	const listener = await listen({handler: app.callback(), host: '127.0.0.1', port: options.port ?? 0});
	t.teardown(async () => await listener[Symbol.asyncDispose]());
	const baseUrl = listener.url;
	const call = (operation: string, what: ApiCall = {}): Promise<ApiAnswer> => callApi(baseUrl, operation, what);
	return {
		...context,
		baseUrl,
		accounts,
		audit,
		endpoints,
		call,
		signInAs: (role, name) => signInAs(context, call, role, name),
	};
};

const callApi = async (baseUrl: string, operation: string, what: ApiCall): Promise<ApiAnswer> => {
	const [method = 'GET', path = '/'] = operation.split(' ', 2);
	const answer = await fetch(`${baseUrl}/api/v1${path}`, {
		method,
		headers: {
			...(what.body === undefined ? {} : {'content-type': 'application/json'}),
			...(what.cookie === undefined ? {} : {cookie: what.cookie}),
			...(what.token === undefined ? {} : {authorization: `Bearer ${what.token}`}),
			...what.headers,
		},
		...(what.body === undefined ? {} : {body: typeof what.body === 'string' ? what.body : JSON.stringify(what.body)}),
	});
	const text = await answer.text();
	const isJson = /json/u.test(answer.headers.get('content-type') ?? '');
	return {
		status: answer.status,
		headers: answer.headers,
		text,
		body: isJson && text !== '' ? JSON.parse(text) : undefined,
	};
};

let accountCount = 0;

const signInAs = async (
	{store, clock}: TestFleetContext,
	call: TestFleetApi['call'],
	role: AccountRole,
	wantedName?: string,
): Promise<string> => {
	accountCount += 1;
	const name = wantedName ?? `${role}-${accountCount}`;
	testPasswordHash ??= hashPassword(testPassword);
	const passwordHash = await testPasswordHash;
	await insertAccount(
		store.database,
		{name, displayName: name, role, passwordHash, mustChangePassword: false},
		clock.nowMs(),
	);
	const {headers} = await call('POST /session', {body: {name, password: testPassword}});
	return cookieOf(headers);
};

/** The name and value of the cookie that an answer set last. */
export const cookieOf = (headers: Headers): string => headers.getSetCookie().at(-1)?.split(';')[0] ?? '';
