import {readFile} from 'node:fs/promises';
import path from 'node:path';
import type {ExecutionContext} from 'ava';
import {commissionStateSchema} from '#appliance/commission/commission-schema.ts';
import {startCommission} from '#appliance/commission/start-commission.ts';
import type {DeviceId} from '#appliance/contract/box-schema.ts';
import type {CommissionReport} from '#appliance/contract/fleet/commission-report-schema.ts';
import type {StbStatus} from '#appliance/contract/stb-status-schema.ts';
import type {FleetStatus, SupervisorStatus} from '#appliance/contract/supervisor-status-schema.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import {systemClock} from '#appliance/time/clock.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withHttpApp} from '#test/helper/with-http-app.ts';
import {sampleStatus} from '#test/helper/with-stb-page.ts';

const newFleet: FleetStatus = {
	enrolled: false,
	connected: false,
	sinceMs: 0,
	reason: 'This box has no claim file; make one in the console and put it where the box file says.',
	overlayRevision: 0,
};

export type CommissionScene = {
	readonly url: string;
	readonly claimFile: string;
	readonly stateDirectory: string;
	/** There once a reset was asked for. */
	readonly resetRequestFile: string;
	/** What the role and the member answer from now on. */
	role: StbStatus;
	fleet: FleetStatus | undefined;
	/** Whether there is a link that takes reports. */
	linked: boolean;
	readonly told: CommissionReport[];
	readonly stops: string[];
	/** Of the clock that limits are counted by. */
	aheadMs: number;
};

/** The technician's page of a new set-top box, over a role that is played by a small server. */
export const withCommission = async (
	t: ExecutionContext,
	{resets = false, stateLost}: {readonly resets?: boolean; readonly stateLost?: string} = {},
): Promise<CommissionScene> => {
	const directory = await withDirectory(t);
	const role = {...sampleStatus(), tuned: {announced: true, sessions: [{group: '239.255.1.1', port: 5001}]}};
	const scene: Omit<CommissionScene, 'url'> = {
		...{claimFile: path.join(directory, 'claim.json'), stateDirectory: directory},
		resetRequestFile: path.join(directory, 'factory-reset'),
		...{role, fleet: newFleet, linked: false, told: [], stops: [], aheadMs: 0},
	};
	const roleUrl = await withHttpApp(t, (context) => {
		context.body = scene.role;
	});
	const status = (): SupervisorStatus => ({
		...{version: 1, box: {id: 'stb-8c1f64a0b21e' as DeviceId, kind: 'stb'}, nowMs: Date.now(), startedMs: 0},
		...{healthy: true, reasons: [], software: {node: '24.0.0', release: '1.0.0'}},
		...(scene.fleet === undefined ? {} : {fleet: scene.fleet}),
		services: [
			{
				...{name: 'stb', state: 'running', sinceMs: 0, restarts: 0, mustRun: true, crashLoop: false},
				...{endpoints: {http: roleUrl}, outputTail: []},
			},
		],
	});
	const ended = new AbortController();
	const page = await startCommission({
		config: {
			box: {id: 'stb-8c1f64a0b21e' as DeviceId, kind: 'stb', stateDirectory: directory},
			fleet: {
				...{claimFile: scene.claimFile, model: 'SV-100', serial: 'SV100-004217', site: 'berlin-mitte', tags: []},
				...{compatible: 'generic', installer: {kind: 'none'}, sampleIntervalMs: 60_000},
				terminal: {enabled: false, user: 'nobody', group: 'nogroup', shell: '/bin/sh', linkLossMs: 1000},
			},
		},
		commission: {
			...{listen: {host: '127.0.0.1', port: 0}, satelliteDegreesEast: 13},
			...{latitudeDegrees: 52.52, longitudeDegrees: 13.405},
		},
		status,
		tellCommissioned: (report) => {
			if (scene.linked) {
				scene.told.push(report);
			}
			return scene.linked;
		},
		stop: (reason) => scene.stops.push(reason),
		resetRequestFile: resets ? scene.resetRequestFile : undefined,
		stateLost,
		logger: silentLogger(),
		signal: ended.signal,
		clock: {nowMs: systemClock.nowMs, monotonicMs: () => systemClock.monotonicMs() + scene.aheadMs},
	});
	t.teardown(async () => {
		ended.abort();
		await page[Symbol.asyncDispose]();
	});
	return Object.assign(scene, {url: page.url});
};

export const post = (
	scene: CommissionScene,
	place: string,
	body: unknown,
	headers: Readonly<Record<string, string>> = {},
): Promise<Response> =>
	fetch(`${scene.url}/api/${place}`, {
		method: 'POST',
		headers: {Origin: scene.url, 'Content-Type': 'application/json', ...headers},
		body: JSON.stringify(body),
	});

/** Of what another page makes a browser of the home send. */
export const foreignHeaders: readonly Readonly<Record<string, string>>[] = [
	{Origin: 'http://evil.test'},
	{Origin: 'null'},
	{Origin: ''},
	{'Sec-Fetch-Site': 'cross-site'},
	{'Content-Type': 'text/plain'},
];

export const readState = async (scene: CommissionScene) =>
	commissionStateSchema.parse(await (await fetch(`${scene.url}/api/state`)).json());

/** As the console of the box shows it. */
export const shownCode = async ({stateDirectory}: CommissionScene): Promise<string> =>
	/code (\S+)/u.exec(await readFile(path.join(stateDirectory, 'commission/console.issue'), 'utf8'))?.[1] ?? '';

/** A claim that passes its schema and opens nothing. */
export const sampleClaim = (more: object = {}) => ({
	...{version: 1, fleet: 'test', estUrl: 'https://fleet.test/.well-known/est', brokerUrl: 'mqtts://fleet.test:8883'},
	...{deviceUrl: 'https://fleet.test:8443', token: 'abcdefghijklmnopqrstuvwxyz'},
	caPem: '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n',
	orderKey: {kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA'},
	releaseCaPem: '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n',
	...more,
});
