import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import type {ExecutionContext} from 'ava';
import {stringify} from 'yaml';
import {createdClaimsSchema} from '#ota/contract/claim-api.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import type {TestFleet} from '#test/helper/with-fleet.ts';
import {type TestProcess, withProcess} from '#test/helper/with-process.ts';

export const fleetMemberSecret = 'Zt7-secret-of-the-role';

export type FleetMember = TestProcess & {readonly id: string; readonly stateDirectory: string};

/** A box's supervisor as a process of its own, claimed by a whole fleet server; resolves when the fleet sees it. */
export const withFleetMember = async (
	t: ExecutionContext,
	fleet: TestFleet,
	{id, terminal = {}}: {readonly id: string; readonly terminal?: object},
): Promise<FleetMember> => {
	const directory = await withDirectory(t);
	const stateDirectory = path.join(directory, 'state');
	const made = await fleet.call('POST /claims', {deviceIds: [id], kind: 'stb'});
	const [claim] = createdClaimsSchema.parse(made.body).items;
	await writeFile(path.join(directory, 'claim.json'), JSON.stringify(claim?.file));
	const filePath = path.join(directory, 'box.yaml');
	await writeFile(
		filePath,
		stringify({
			version: 1,
			box: {id, kind: 'stb', stateDirectory},
			supervisor: {listen: {port: 0}},
			fleet: {claimFile: 'claim.json', sampleIntervalMs: 500, terminal},
			stb: {secret: fleetMemberSecret},
		}),
	);
	const child = withProcess(t, {
		script: 'test/fake/member-main.ts',
		args: [filePath],
		environment: {MEMBER_API_TOKEN: 'Zt7-secret-of-the-environment'},
	});
	await eventually('the fleet sees the box', async () => {
		const {status, body} = await fleet.call(`GET /boxes/${id}`);
		return status === 200 && body.presence === 'online' && body.reported !== null;
	});
	return {...child, id, stateDirectory};
};
