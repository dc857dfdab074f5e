import {generateKeyPairSync} from 'node:crypto';
import {request} from 'node:https';
import {text} from 'node:stream/consumers';
import type {ExecutionContext} from 'ava';
import type {DeviceId} from '#appliance/contract/box-schema.ts';
import {makeCertificateRequest} from '#appliance/identity/certificate-request.ts';
import {orderChain, readCertsOnly} from '#appliance/identity/read-certificates.ts';
import {createLogger, type Logger} from '#appliance/log/logger.ts';
import {type Clock, systemClock} from '#appliance/time/clock.ts';
import type {CreatedClaim} from '#ota/contract/claim-api.ts';
import type {AnyEndpoint} from '#ota/fleet/api/endpoint.ts';
import {type AuthorityConfig, authorityConfigSchema} from '#ota/fleet/authority/authority-config.ts';
import {createAuthorityPart} from '#ota/fleet/authority/authority-part.ts';
import {openTrust, type Trust} from '#ota/fleet/authority/open-trust.ts';
import {deviceListenerConfigSchema} from '#ota/fleet/device/device-config.ts';
import type {DeviceTimeouts} from '#ota/fleet/device/listen-for-devices.ts';
import {startDeviceServer} from '#ota/fleet/device/start-device-server.ts';
import type {FleetContext} from '#ota/fleet/fleet-part.ts';
import type {DatabaseEngine} from '#ota/fleet/store/open-fleet-database.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withFleetDatabase} from '#test/helper/with-fleet-database.ts';

export type AuthorityFixture = {
	readonly trust: Trust;
	readonly context: FleetContext;
	readonly directory: string;
	readonly endpoints: readonly AnyEndpoint[];
	/** Calls an operation as an admin, as the API would after it has parsed the request. */
	readonly call: (
		operationId: string,
		options?: {parameters?: unknown; query?: unknown; body?: unknown},
	) => Promise<unknown>;
	/** One claim of a name, or of none. */
	readonly claim: (deviceId?: string) => Promise<CreatedClaim>;
	readonly part: ReturnType<typeof createAuthorityPart>;
	/** Everything that was logged. */
	readonly log: () => string;
	readonly onRevoked: (listener: () => void) => void;
};

/** Its time of day is turned by the test, to and fro. */
export type TurnableClock = Clock & {readonly advance: (durationMs: number) => void};
export const turnableClock = (): TurnableClock => {
	let offsetMs = 0;
	return {
		nowMs: () => Date.now() + offsetMs,
		monotonicMs: () => performance.now(),
		advance: (durationMs) => {
			offsetMs += durationMs;
		},
	};
};

/** An authority with its part, on a database of its own. */
export const withAuthority = async (
	t: ExecutionContext,
	options: {
		readonly engine?: DatabaseEngine;
		readonly config?: Partial<AuthorityConfig>;
		readonly clock?: Clock;
		readonly directory?: string;
	} = {},
): Promise<AuthorityFixture> => {
	const {clock = systemClock} = options;
	const store = await withFleetDatabase(t, options.engine ?? 'sqlite');
	const directory = options.directory ?? (await withDirectory(t));
	const lines: string[] = [];
	const logger: Logger = createLogger({name: 'test', level: 'debug'}, {write: (line) => void lines.push(line)});
	const config = authorityConfigSchema.parse(options.config ?? {});
	const trust = await openTrust({
		fleet: 'Test Fleet',
		config,
		stateDirectory: directory,
		database: store.database,
		clock,
		logger,
	});
	const context: FleetContext = {
		serverId: 'server-1',
		store,
		changes: {publish: () => undefined, subscribe: () => () => undefined},
		clock,
		logger,
		signal: new AbortController().signal,
	};
	let revoked: () => void = () => undefined;
	const part = createAuthorityPart(context, {
		trust,
		onRevoked: () => revoked(),
		claimFile: () =>
			Promise.resolve({
				version: 1,
				fleet: 'Test Fleet',
				estUrl: 'https://localhost:1/.well-known/est',
				brokerUrl: 'mqtts://localhost:1',
				deviceUrl: 'https://localhost:1',
				caPem: trust.authority.caPem,
				orderKey: {kty: 'EC', crv: 'P-256', x: 'eA', y: 'eQ'},
				releaseCaPem: trust.authority.caPem,
			}),
	});
	const endpoints = part.endpoints ?? [];
	const call: AuthorityFixture['call'] = async (operationId, {parameters, query, body} = {}) => {
		const found = endpoints.find((each) => each.operationId === operationId);
		if (found === undefined) {
			throw new Error(`no operation ${operationId}`);
		}
		const answer = await found.handle({
			parameters: found.parameters?.parse(parameters),
			query: found.query?.parse(query ?? {}),
			body: found.body?.parse(body ?? {}),
			actor: {id: 'a', name: 'ada', role: 'admin'},
			ifMatch: undefined,
			remoteAddress: '127.0.0.1',
			signal: context.signal,
		});
		return found.answer === undefined ? answer.body : found.answer.parse(answer.body);
	};
	const claim: AuthorityFixture['claim'] = async (deviceId) => {
		const body = {kind: 'stb', tags: ['lab'], ...(deviceId === undefined ? {} : {deviceIds: [deviceId]})};
		const {items} = (await call('createClaims', {body})) as {items: CreatedClaim[]};
		const [made] = items;
		if (made === undefined) {
			throw new Error('no claim was made');
		}
		return made;
	};
	return {
		...{trust, context, directory, endpoints, call, claim, part},
		log: () => lines.join(''),
		onRevoked: (listener) => {
			revoked = listener;
		},
	};
};

/** The listener of boxes on a free port of loopback; answers its URL. */
export const withDeviceServer = async (
	t: ExecutionContext,
	fixture: AuthorityFixture,
	options: {
		readonly routers?: readonly import('@koa/router').default[];
		readonly config?: Record<string, unknown>;
		readonly timeouts?: DeviceTimeouts;
		readonly renewalCheckMs?: number;
	} = {},
): Promise<{url: string; port: number}> => {
	const {part, trust, context, directory} = fixture;
	const stopping = new AbortController();
	const server = await startDeviceServer({
		config: deviceListenerConfigSchema.parse({host: '127.0.0.1', port: 0, ...options.config}),
		trust,
		routers: [...(part.deviceRoutes === undefined ? [] : [part.deviceRoutes]), ...(options.routers ?? [])],
		stateDirectory: directory,
		publicHost: 'localhost',
		hosts: ['localhost', '127.0.0.1'],
		clock: context.clock,
		logger: context.logger,
		signal: stopping.signal,
		...(options.timeouts === undefined ? {} : {timeouts: options.timeouts}),
		...(options.renewalCheckMs === undefined ? {} : {renewalCheckMs: options.renewalCheckMs}),
	});
	t.teardown(async () => {
		stopping.abort();
		await server[Symbol.asyncDispose]();
	});
	return {url: `https://127.0.0.1:${server.port}`, port: server.port};
};

export const makeBoxKey = (): string =>
	generateKeyPairSync('ec', {namedCurve: 'P-256'}).privateKey.export({type: 'pkcs8', format: 'pem'}).toString();

export const makeRequest = async (deviceId: string, keyPem: string): Promise<string> =>
	await makeCertificateRequest({deviceId: deviceId as DeviceId, keyPem});

export type BoxFiles = {readonly deviceId: string; readonly keyPem: string; readonly certificatePem: string};

/** Asks over HTTPS as a box does; no answer is an error. */
export const askDevices = async (
	fixture: AuthorityFixture,
	url: string,
	options: {
		readonly method?: string;
		readonly body?: string;
		readonly headers?: Readonly<Record<string, string>>;
		readonly box?: Pick<BoxFiles, 'keyPem' | 'certificatePem'>;
	} = {},
): Promise<{status: number; body: string; headers: Readonly<Record<string, string | string[] | undefined>>}> => {
	const {method = options.body === undefined ? 'GET' : 'POST', body, headers = {}, box} = options;
	const {promise, resolve, reject} = Promise.withResolvers<import('node:http').IncomingMessage>();
	const outgoing = request(url, {
		method,
		headers,
		agent: false,
		ca: fixture.trust.authority.caPem,
		...(box === undefined ? {} : {key: box.keyPem, cert: box.certificatePem}),
	});
	outgoing.on('response', resolve).on('error', reject).end(body);
	const response = await promise;
	return {status: response.statusCode ?? 0, body: await text(response), headers: response.headers};
};

/** Enrols a box by EST with a claim of its own. */
export const enrolTestBox = async (
	fixture: AuthorityFixture,
	url: string,
	deviceId: string,
	options: {readonly token?: string; readonly keyPem?: string} = {},
): Promise<BoxFiles> => {
	const keyPem = options.keyPem ?? makeBoxKey();
	const token = options.token ?? (await fixture.claim(deviceId)).file.token ?? '';
	const answer = await askDevices(fixture, `${url}/.well-known/est/simpleenroll`, {
		body: await makeRequest(deviceId, keyPem),
		headers: {authorization: `Bearer ${token}`, 'content-type': 'application/pkcs10'},
	});
	if (answer.status !== 200) {
		throw new Error(`not enrolled: ${answer.status} ${answer.body}`);
	}
	const certificatePem = orderChain(readCertsOnly(answer.body), {deviceId: deviceId as DeviceId, keyPem});
	return {deviceId, keyPem, certificatePem};
};
