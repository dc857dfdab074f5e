import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import type {DeviceId} from '#appliance/contract/box-schema.ts';
import {startIdentity} from '#appliance/identity/start-identity.ts';
import {type Logger, silentLogger} from '#appliance/log/logger.ts';
import type {FleetLink} from '#appliance/mqtt/fleet-link.ts';
import {startFleetLink} from '#appliance/mqtt/start-fleet-link.ts';
import {systemClock} from '#appliance/time/clock.ts';
import {apiTokenCreatedSchema} from '#ota/contract/account-api.ts';
import {createdClaimsSchema} from '#ota/contract/claim-api.ts';
import {type FleetConfig, fleetConfigSchema} from '#ota/fleet/config/fleet-config-schema.ts';
import {type Fleet, startFleet} from '#ota/fleet/start-fleet.ts';
import type {DatabaseEngine} from '#ota/fleet/store/open-fleet-database.ts';
import {type TestOwner, withDirectory} from '#test/helper/with-directory.ts';
import {withFleetDatabaseUrl} from '#test/helper/with-fleet-database.ts';

export type FleetCall = (
	operation: string,
	body?: unknown,
	headers?: Readonly<Record<string, string>>,
	// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape.
) => Promise<{readonly status: number; readonly headers: Headers; readonly body: any}>;

export type TestFleet = Fleet & {
	readonly stateDirectory: string;
	readonly databaseUrl: string;
	readonly token: string;
	/** As an admin: `call('GET /boxes')`, below /api/v1. */
	readonly call: FleetCall;
};

export const adminPassword = 'four unrelated words do';

/** A whole fleet server on free ports, with a mosquitto of its own, and an admin's token. */
export const withFleet = async (
	t: TestOwner,
	options: {
		readonly engine?: DatabaseEngine;
		readonly config?: Partial<FleetConfig>;
		readonly stateDirectory?: string;
		readonly databaseUrl?: string;
		readonly logger?: Logger;
	} = {},
): Promise<TestFleet> => {
	const stateDirectory = options.stateDirectory ?? (await withDirectory(t));
	const databaseUrl = options.databaseUrl ?? (await withFleetDatabaseUrl(t, options.engine ?? 'sqlite'));
	const stop = new AbortController();
	const fleet = await startFleet({
		config: {
			...fleetConfigSchema.parse({operator: {port: 0}}),
			databaseUrl,
			...options.config,
		},
		stateDirectory,
		clock: systemClock,
		logger: options.logger ?? silentLogger(),
		signal: stop.signal,
	});
	t.teardown(async () => {
		await fleet[Symbol.asyncDispose]();
		stop.abort();
	});
	const token = fleet.firstAdmin === undefined ? '' : await takeOver(fleet);
	return {...fleet, stateDirectory, databaseUrl, token, call: fleetCall(fleet.url, {Authorization: `Bearer ${token}`})};
};

export const fleetCall =
	(url: string, credentials: Readonly<Record<string, string>>): FleetCall =>
	async (operation, body, headers = {}) => {
		const [method = 'GET', path] = operation.split(' ');
		const response = await fetch(`${url}/api/v1${path}`, {
			method,
			headers: {...credentials, ...headers, ...(body === undefined ? {} : {'Content-Type': 'application/json'})},
			...(body === undefined ? {} : {body: JSON.stringify(body)}),
		});
		const text = await response.text();
		const isJson = response.headers.get('content-type')?.includes('json') ?? false;
		return {status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text};
	};

const takeOver = async ({url, firstAdmin}: Fleet): Promise<string> => {
	const first = await signInToFleet(url, 'admin', firstAdmin?.password ?? '');
	await fleetCall(url, {Cookie: first})('PUT /session/password', {
		current: firstAdmin?.password,
		next: adminPassword,
	});
	const own = await signInToFleet(url, 'admin', adminPassword);
	const made = await fleetCall(url, {Cookie: own})('POST /tokens', {name: 'test', role: 'admin', lifeDays: 1});
	return apiTokenCreatedSchema.parse(made.body).token;
};

/** Answers the cookie. */
export const signInToFleet = async (url: string, name: string, password: string): Promise<string> => {
	const {headers} = await fleetCall(url, {})('POST /session', {name, password});
	return headers
		.getSetCookie()
		.map((line) => line.split(';')[0])
		.join('; ');
};

export type FleetBox = FleetLink & {
	readonly directory: string;
	/** After its link was disposed: the same box comes back. */
	readonly reopen: () => Promise<FleetLink>;
};

/** A box that is claimed and enrolls by EST, with the link that the product's boxes have. */
export const withFleetBox = async (t: ExecutionContext, fleet: TestFleet, id: string): Promise<FleetBox> => {
	const directory = await withDirectory(t);
	const made = await fleet.call('POST /claims', {deviceIds: [id], kind: 'stb'});
	const [claim] = createdClaimsSchema.parse(made.body).items;
	const claimFile = join(directory, 'claim-file.json');
	await writeFile(claimFile, JSON.stringify(claim?.file));
	const identity = await startIdentity({
		directory: join(directory, 'fleet'),
		claimFile,
		deviceId: id as DeviceId,
		logger: silentLogger(),
	});
	t.teardown(() => identity[Symbol.asyncDispose]());
	const open = async (): Promise<FleetLink> => {
		const link = await startFleetLink({
			directory: join(directory, 'fleet'),
			identity,
			kind: 'stb',
			bootId: 'boot-1',
			facts: () => ({id, kind: 'stb'}),
			logger: silentLogger(),
		});
		t.teardown(() => link[Symbol.asyncDispose]());
		return link;
	};
	return {...(await open()), directory, reopen: open};
};
