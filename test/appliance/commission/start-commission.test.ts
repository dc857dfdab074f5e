import {existsSync} from 'node:fs';
import {readFile, stat} from 'node:fs/promises';
import {request} from 'node:http';
import path from 'node:path';
import {text} from 'node:stream/consumers';
import test from 'ava';
import {commissionStateSchema, signalSchema} from '#appliance/commission/commission-schema.ts';
import {commissionReportSchema} from '#appliance/contract/fleet/commission-report-schema.ts';
import {type CommissionScene, sampleClaim, withCommission} from '#test/helper/with-commission.ts';

type Headers = Readonly<Record<string, string>>;

const post = (scene: CommissionScene, place: string, body: unknown, headers: Headers = {}) =>
	fetch(`${scene.url}/api/${place}`, {
		method: 'POST',
		headers: {Origin: scene.url, 'Content-Type': 'application/json', ...headers},
		body: JSON.stringify(body),
	});

const report = {technician: 'Ada', note: 'North wall'};

const shownCode = async ({stateDirectory}: CommissionScene): Promise<string> =>
	/code (\S+)/u.exec(await readFile(path.join(stateDirectory, 'commission/console.issue'), 'utf8'))?.[1] ?? '';

test('the state is whole, and there is no secret in it', async (t) => {
	const scene = await withCommission(t);
	await post(scene, 'claim', {claim: sampleClaim()});
	const answer = await (await fetch(`${scene.url}/api/state`)).text();
	const state = commissionStateSchema.parse(JSON.parse(answer));
	t.like(state, {codeNeeded: false, takesClaim: true, dish: {satelliteDegreesEast: 13}});
	t.is(state.checks.find(({name}) => name === 'signal')?.outcome, 'unknown', 'no tuner is neither good nor bad');
	t.is(state.checks.find(({name}) => name === 'multicast')?.outcome, 'good');
	t.false(answer.includes(sampleClaim().token) || answer.includes(await shownCode(scene)));
});

test('a tuner speaks through its role', async (t) => {
	const scene = await withCommission(t);
	const signal = async () => signalSchema.parse(await (await fetch(`${scene.url}/api/signal`)).json());
	t.is((await signal()).tuner, undefined);
	scene.aheadMs += 1000;
	scene.role = {...scene.role, tuner: {name: 'adapter0', locked: true, cnrDb: 11.4}};
	t.deepEqual((await signal()).tuner, {name: 'adapter0', locked: true, cnrDb: 11.4});
});

test('a new box takes a claim as a stick brings it, for itself alone', async (t) => {
	const scene = await withCommission(t);
	const other = await post(scene, 'claim', {claim: sampleClaim({deviceId: 'stb-other'})});
	t.is(other.status, 400);
	t.like(await other.json(), {code: 'APPLIANCE_CLAIM_OTHER_BOX'});
	t.is((await post(scene, 'claim', {claim: {...sampleClaim(), estUrl: 'http://plain.test'}})).status, 400);
	t.is((await post(scene, 'claim', {claim: 'x'.repeat(70_000)})).status, 413);
	t.false(existsSync(scene.claimFile), 'nothing is written of what was refused');
	const taken = await post(scene, 'claim', {claim: sampleClaim()});
	t.deepEqual(await taken.json(), {restarts: false});
	t.deepEqual(JSON.parse(await readFile(scene.claimFile, 'utf8')), sampleClaim());
	t.is((await stat(scene.claimFile)).mode & 0o777, 0o600);
});

test('an enrolled box writes nothing without the code of its console, which is good for once', async (t) => {
	const scene = await withCommission(t);
	scene.fleet = {enrolled: true, connected: true, sinceMs: 0, overlayRevision: 0};
	t.is((await post(scene, 'claim', {claim: sampleClaim()})).status, 403);
	t.is((await post(scene, 'report', report)).status, 403);
	t.is((await post(scene, 'report', {...report, code: 'AAAA-AAAA'})).status, 403);
	const code = await shownCode(scene);
	t.is((await post(scene, 'report', {...report, code: code.toLowerCase().replace('-', ' ')})).status, 200);
	t.is((await post(scene, 'report', {...report, code})).status, 403, 'it was used');
	t.not(await shownCode(scene), code);
	t.false(existsSync(scene.claimFile));
	const taken = await post(scene, 'claim', {claim: sampleClaim(), code: await shownCode(scene)});
	t.deepEqual(await taken.json(), {restarts: true});
});

test('after five wrong codes even the right one waits a quarter of an hour', async (t) => {
	const scene = await withCommission(t);
	scene.fleet = {enrolled: true, connected: true, sinceMs: 0, overlayRevision: 0};
	for (let count = 0; count < 5; count += 1) {
		t.is((await post(scene, 'report', {...report, code: 'AAAA-AAAA'})).status, 403);
	}
	const code = await shownCode(scene);
	t.is((await post(scene, 'report', {...report, code})).status, 429);
	scene.aheadMs += 16 * 60_000;
	t.is((await post(scene, 'report', {...report, code})).status, 200);
});

test('no other page writes through a browser of the home', async (t) => {
	const scene = await withCommission(t);
	const foreign: readonly Headers[] = [
		{Origin: 'http://evil.test'},
		{Origin: 'null'},
		{Origin: ''},
		{'Sec-Fetch-Site': 'cross-site'},
		{'Content-Type': 'text/plain'},
	];
	for (const headers of foreign) {
		t.is((await post(scene, 'report', report, headers)).status, 403, JSON.stringify(headers));
	}
	t.false(existsSync(path.join(scene.stateDirectory, 'commission/report.json')));
});

test('a name that is not the box’s own is not answered', async (t) => {
	const scene = await withCommission(t);
	const ask = async (host: string): Promise<number> => {
		const {promise, resolve, reject} = Promise.withResolvers<number>();
		const asking = request(`${scene.url}/api/state`, {headers: {host}}, (response) => {
			void text(response).then(() => resolve(response.statusCode ?? 0), reject);
		});
		asking.on('error', reject).end();
		return await promise;
	};
	t.is(await ask('rebound.evil.test'), 403);
	t.is(await ask('stb-8c1f64a0b21e.local:8078'), 200);
	t.is(await ask('[fe80::1]:8078'), 200);
});

test('who writes too much is told to wait', async (t) => {
	const scene = await withCommission(t);
	const statuses: number[] = [];
	for (let count = 0; count < 13; count += 1) {
		statuses.push((await post(scene, 'report', {...report, more: 'unknown'})).status);
	}
	t.deepEqual(statuses, [...Array<number>(12).fill(400), 429]);
	scene.aheadMs += 60_001;
	t.is((await post(scene, 'report', report)).status, 200);
});

test('a report is kept at once, and told when there is a link', async (t) => {
	const scene = await withCommission(t);
	const dish = {latitudeDegrees: 52.52, longitudeDegrees: 13.4, satelliteDegreesEast: 13};
	const kept = commissionReportSchema.parse(await (await post(scene, 'report', {...report, dish})).json());
	t.like(kept, {technician: 'Ada', note: 'North wall', release: '1.0.0', dish});
	const told = async () =>
		commissionStateSchema.parse(await (await fetch(`${scene.url}/api/state`)).json()).report?.told;
	t.false(await told());
	t.deepEqual(scene.told, []);
	scene.linked = true;
	const second = commissionReportSchema.parse(await (await post(scene, 'report', report)).json());
	t.true(await told());
	t.deepEqual(scene.told, [second]);
	t.is((await post(scene, 'report', {...report, note: 'x'.repeat(501)})).status, 400);
});
