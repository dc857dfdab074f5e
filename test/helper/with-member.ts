import {readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import type {ExecutionContext} from 'ava';
import {stringify} from 'yaml';
import {type Reported, reportedSchema} from '#appliance/contract/fleet/reported-schema.ts';
import {type SupervisorStatus, supervisorStatusSchema} from '#appliance/contract/supervisor-status-schema.ts';
import {eventually} from '#test/helper/eventually.ts';
import {
	type FleetLinkSetup,
	type TestFleetServer,
	testBox,
	testFleet,
	withFleetLink,
} from '#test/helper/with-fleet-link.ts';
import {withMemberEst} from '#test/helper/with-member-est.ts';
import {type TestProcess, withProcess} from '#test/helper/with-process.ts';

export const memberToken = 'Zt7-one-time-claim-token';
export const memberSecret = 'Zt7-secret-of-the-role';

export type TestMember = {
	readonly setup: FleetLinkSetup;
	readonly enrolled: () => number;
	readonly stateDirectory: string;
	readonly claimFile: string;
	readonly start: () => RunningTestMember;
	readonly startServer: () => Promise<TestFleetServer>;
};

export type RunningTestMember = TestProcess & {
	readonly status: () => Promise<SupervisorStatus>;
	readonly rolePid: () => Promise<number>;
};

/** A box's supervisor as a process of its own, with a claim, an EST server and a broker. */
export const withMember = async (
	t: ExecutionContext,
	options: {
		/** More of the `fleet:` section. */
		readonly fleet?: Readonly<Record<string, unknown>>;
		/** Who may sign releases; default nobody real. */
		readonly releaseCaPem?: string;
		/** Where an initrd would have left its notes of this boot. */
		readonly runDirectory?: string;
	} = {},
): Promise<TestMember> => {
	const setup = await withFleetLink(t);
	const est = await withMemberEst(t, {authority: setup.authority, token: memberToken});
	const {directory} = setup;
	const stateDirectory = path.join(directory, 'state');
	const claimFile = path.join(directory, 'claim.json');
	await writeFile(
		claimFile,
		JSON.stringify({
			...{version: 1, fleet: testFleet, brokerUrl: setup.broker.url, orderKey: setup.signer.key, token: memberToken},
			...{estUrl: `${est.url}/.well-known/est`, deviceUrl: est.url},
			...{caPem: setup.authority.caPem, releaseCaPem: options.releaseCaPem ?? setup.authority.caPem},
		}),
	);
	const filePath = path.join(directory, 'box.yaml');
	await writeFile(
		filePath,
		stringify({
			version: 1,
			box: {id: testBox, kind: 'stb', stateDirectory},
			supervisor: {listen: {port: 0}, restartDelayMinMs: 20, restartDelayMaxMs: 100},
			fleet: {claimFile: 'claim.json', sampleIntervalMs: 300, site: 'paris', model: 'test-box', ...options.fleet},
			stb: {secret: memberSecret},
		}),
	);
	return {
		...{setup, stateDirectory, claimFile, enrolled: est.enrolled, startServer: setup.startServer},
		start: () => {
			const child = withProcess(t, {
				script: 'test/fake/member-main.ts',
				args: [filePath, ...(options.runDirectory === undefined ? [] : [options.runDirectory])],
			});
			const url = () => eventually('the address', () => /"url":"(http:[^"]+)"/u.exec(child.output())?.[1]);
			return {
				...child,
				status: async () => supervisorStatusSchema.parse(await (await fetch(`${await url()}/status`)).json()),
				rolePid: async () => Number(await readFile(path.join(stateDirectory, 'role.pid'), 'utf8')),
			};
		},
	};
};

/** What the box reported last. */
export const lastReport = (server: TestFleetServer): Reported | undefined => {
	const last = server.heard.findLast(({topic}) => topic === 'reported');
	return last === undefined ? undefined : reportedSchema.parse(JSON.parse(last.payload));
};
