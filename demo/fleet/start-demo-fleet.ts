import {randomBytes} from 'node:crypto';
import {readFile, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {startService} from '#appliance/supervisor/start-service.ts';
import {freeTcpPort} from '#demo/box/free-port.ts';
import type {DemoErrorCode} from '#demo/error-code.ts';
import {firstAdminFile, firstAdminSchema} from '#demo/fleet/first-admin.ts';
import {type FleetClient, openFleetClient, takeOver} from '#demo/fleet/fleet-client.ts';
import {fleetNodeArguments} from '#ota/fleet/keep-heap-small.ts';

const startTimeoutMs = 60_000;
const stopTimeoutMs = 20_000;
const preferredPort = 8480;
const root = fileURLToPath(new URL('../..', import.meta.url));

export type DemoFleet = AsyncDisposable & {
	/** Of the console and the API. */
	readonly url: string;
	/** The account that the demo made, for a person who wants to look. */
	readonly account: {readonly name: string; readonly password: string};
	readonly token: string;
	readonly ask: FleetClient;
	readonly stateDirectory: string;
	readonly pids: () => readonly number[];
};

/** A fleet server of its own with its broker, on free ports; answers when the demo is signed in to it. */
export const startDemoFleet = async (options: {
	readonly stateDirectory: string;
	/** Whose carousel carries releases and orders. */
	readonly headendUrl?: string;
	readonly logger: Logger;
	readonly signal: AbortSignal;
}): Promise<DemoFleet> => {
	const {stateDirectory, headendUrl, logger, signal} = options;
	await using stack = new AsyncDisposableStack();
	const port = await freeTcpPort(preferredPort);
	const service = stack.use(
		startService(
			{
				name: 'fleet',
				command: process.execPath,
				args: [
					...fleetNodeArguments,
					join(root, 'demo', 'fleet', 'fleet-process.ts'),
					...['--state', stateDirectory, '--port', String(port)],
					...(headendUrl === undefined ? [] : ['--headend', headendUrl]),
				],
				workingDirectory: root,
				readiness: {kind: 'message'},
				startTimeoutMs,
				stopTimeoutMs,
			},
			{logger, signal: AbortSignal.any([])},
		),
	);
	const timeout = AbortSignal.timeout(startTimeoutMs);
	try {
		await service.ready({signal: AbortSignal.any([signal, timeout])});
	} catch (error) {
		signal.throwIfAborted();
		throw new CodedError<DemoErrorCode>('DEMO_FLEET_START_FAILED', {
			message: `The fleet server was not ready within ${startTimeoutMs / 1000} s; build/demo.log says why.`,
			cause: error,
			details: {outputTail: service.snapshot().outputTail},
		});
	}
	const url = `http://127.0.0.1:${port}`;
	const adminPath = join(stateDirectory, firstAdminFile);
	const first = firstAdminSchema.parse(JSON.parse(await readFile(adminPath, 'utf8')));
	const password = randomBytes(9).toString('base64url');
	const token = await takeOver({url, name: first.name, oneTimePassword: first.password, password, signal});
	await rm(adminPath);
	const owned = stack.move();
	return {
		url,
		account: {name: first.name, password},
		token,
		ask: openFleetClient({url, token, signal}),
		stateDirectory,
		pids: () => [service.snapshot().pid ?? []].flat(),
		[Symbol.asyncDispose]: () => owned.disposeAsync(),
	};
};
