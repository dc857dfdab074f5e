import {existsSync} from 'node:fs';
import {mkdir, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {request} from 'node:http';
import path from 'node:path';
import {text} from 'node:stream/consumers';
import test from 'ava';
import {commissionStateSchema, signalSchema} from '#appliance/commission/commission-schema.ts';
import type {DeviceId} from '#appliance/contract/box-schema.ts';
import {commissionReportSchema} from '#appliance/contract/fleet/commission-report-schema.ts';
import type {FleetStatus} from '#appliance/contract/supervisor-status-schema.ts';
import {openClaim} from '#appliance/identity/claim-store.ts';
import {identityDirectoryOf} from '#appliance/identity/identity-files.ts';
import {
	type CommissionScene,
	foreignHeaders,
	post,
	readState,
	sampleClaim,
	shownCode,
	withCommission,
} from '#test/helper/with-commission.ts';

const report = {technician: 'Ada', note: 'North wall'};

test('the state is whole, and there is no secret in it', async (t) => {
	const scene = await withCommission(t);
	await post(scene, 'claim', {claim: sampleClaim()});
	const answer = await (await fetch(`${scene.url}/api/state`)).text();
	const state = commissionStateSchema.parse(JSON.parse(answer));
	t.like(state, {codeNeeded: true, takesClaim: true, dish: {satelliteDegreesEast: 13}});
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

const foreignClaim = sampleClaim({fleet: 'foreign', token: 'zyxwvutsrqponmlkjihgfedcba'});

test('a claim that was brought is replaced by nobody without the code', async (t) => {
	const scene = await withCommission(t);
	t.false((await readState(scene)).codeNeeded);
	t.is((await post(scene, 'claim', {claim: sampleClaim()})).status, 200);
	t.true((await readState(scene)).codeNeeded);
	t.is((await post(scene, 'claim', {claim: foreignClaim})).status, 403);
	t.is((await post(scene, 'report', report)).status, 403);
	t.deepEqual(JSON.parse(await readFile(scene.claimFile, 'utf8')), sampleClaim());
	t.is((await post(scene, 'claim', {claim: foreignClaim, code: await shownCode(scene)})).status, 200);
});

const fleets: Readonly<Record<string, FleetStatus | undefined>> = {
	'is not open yet': {enrolled: false, connected: false, sinceMs: 0, overlayRevision: 0},
	'cannot be opened': {enrolled: false, connected: false, sinceMs: 0, overlayRevision: 0, reason: 'The disk is full.'},
	'did not start': undefined,
};

for (const [how, fleet] of Object.entries(fleets)) {
	test(`a claimed box needs the code also while its fleet’s side ${how}`, async (t) => {
		const scene = await withCommission(t);
		scene.fleet = fleet;
		const directory = identityDirectoryOf(scene.stateDirectory);
		for (const name of ['claim.json', 'certificate.pem']) {
			t.false((await readState(scene)).codeNeeded);
			await mkdir(directory);
			await writeFile(path.join(directory, name), 'also one that nobody can read');
			t.true((await readState(scene)).codeNeeded);
			t.is((await post(scene, 'claim', {claim: foreignClaim})).status, 403, name);
			await rm(directory, {recursive: true});
		}
		await writeFile(directory, 'no directory');
		t.is((await post(scene, 'claim', {claim: foreignClaim})).status, 403, 'who cannot tell asks for the code');
		t.false(existsSync(scene.claimFile));
		t.deepEqual(scene.stops, []);
	});
}

test('a box whose claim cannot be read may be somebody’s: it needs the code, and says why', async (t) => {
	const scene = await withCommission(t, {stateLost: 'the data partition cannot be used (it cannot be mounted)'});
	const state = await readState(scene);
	t.like(state, {codeNeeded: true, takesClaim: true, takesToken: false});
	const disk = state.checks.find(({name}) => name === 'disk');
	t.is(disk?.outcome, 'bad');
	t.regex(disk?.detail ?? '', /^The data .*cannot be mounted.* console’s code/u);
	t.is((await post(scene, 'claim', {claim: foreignClaim})).status, 403);
	t.is((await post(scene, 'report', report)).status, 403);
	t.false(existsSync(scene.claimFile));
	t.is((await post(scene, 'claim', {claim: sampleClaim(), code: await shownCode(scene)})).status, 200);
	t.true((await readState(scene)).takesToken);
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
	for (const headers of foreignHeaders) {
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
	const told = async () => (await readState(scene)).report?.told;
	t.false(await told());
	t.deepEqual(scene.told, []);
	scene.linked = true;
	const second = commissionReportSchema.parse(await (await post(scene, 'report', report)).json());
	t.true(await told());
	t.deepEqual(scene.told, [second]);
	t.is((await post(scene, 'report', {...report, note: 'x'.repeat(501)})).status, 400);
});

/** As `spendToken` leaves it, or a box that was flashed with a claim that has no token. */
const keepClaim = async (scene: CommissionScene, more: object = {}): Promise<object> => {
	const {token: _, ...claim} = sampleClaim();
	const directory = identityDirectoryOf(scene.stateDirectory);
	await mkdir(directory, {recursive: true});
	await writeFile(path.join(directory, 'claim.json'), JSON.stringify({...claim, ...more}));
	return claim;
};

const token = 'a-new-token_of.this~fleet';
const notEnrolled: FleetStatus = {enrolled: false, connected: false, sinceMs: 0, overlayRevision: 0};

test('a token completes the claim that the box has, with the code as a claim needs it', async (t) => {
	const scene = await withCommission(t);
	scene.fleet = notEnrolled;
	t.false((await readState(scene)).takesToken);
	const claim = await keepClaim(scene, {usedTokenSha256: '0'.repeat(64)});
	t.true((await readState(scene)).takesToken);
	t.is((await post(scene, 'claim', {token})).status, 403);
	t.is((await post(scene, 'claim', {token, code: 'AAAA-AAAA'})).status, 403);
	t.false(existsSync(scene.claimFile));
	const taken = await post(scene, 'claim', {token: ` ${token}\n`, code: await shownCode(scene)});
	t.deepEqual(await taken.json(), {restarts: true});
	t.deepEqual(JSON.parse(await readFile(scene.claimFile, 'utf8')), {...claim, token});
	t.is((await stat(scene.claimFile)).mode & 0o777, 0o600);
	const place = {directory: identityDirectoryOf(scene.stateDirectory), claimFile: scene.claimFile};
	t.like(
		await openClaim({...place, deviceId: 'stb-8c1f64a0b21e' as DeviceId}),
		{token},
		'it is what the box enrols with',
	);
});

test('a token takes the place of one that was brought and is not good', async (t) => {
	const scene = await withCommission(t);
	t.is((await post(scene, 'claim', {claim: sampleClaim()})).status, 200);
	t.true((await readState(scene)).takesToken);
	t.is((await post(scene, 'claim', {token, code: await shownCode(scene)})).status, 200);
	t.deepEqual(JSON.parse(await readFile(scene.claimFile, 'utf8')), {...sampleClaim(), token});
});

test('a token alone is refused in plain words where it cannot be used', async (t) => {
	const scene = await withCommission(t);
	const ask = async (body: object) => {
		const answer = await post(scene, 'claim', {...body, code: await shownCode(scene)});
		const {code, title} = (await answer.json()) as {readonly code: string; readonly title: string};
		return [answer.status, code, title];
	};
	t.deepEqual(await ask({token}), [
		...[400, 'APPLIANCE_CLAIM_NONE'],
		'This box has no claim yet, and a token alone does not say which fleet it is for: bring the whole claim.',
	]);
	t.is((await ask({token, claim: sampleClaim()}))[0], 400, 'one of them');
	t.is((await ask({}))[0], 400);
	await keepClaim(scene);
	t.deepEqual(await ask({token: 'two words'}), [
		...[400, 'APPLIANCE_CLAIM_INVALID'],
		'The token is wrong: it must be 16 to 512 of A-Z, a-z, 0-9, -, ., _ and ~.',
	]);
	await keepClaim(scene, {deviceId: 'stb-other'});
	t.deepEqual((await ask({token})).slice(0, 2), [400, 'APPLIANCE_CLAIM_OTHER_BOX']);
	scene.fleet = {...notEnrolled, enrolled: true};
	t.false((await readState(scene)).takesToken);
	t.deepEqual((await ask({token})).slice(0, 2), [409, 'HTTP_CONFLICT']);
	t.false(existsSync(scene.claimFile), 'nothing is written of what was refused');
	t.deepEqual(scene.stops, []);
});
