import test from 'ava';
import {claimSchema} from '#appliance/identity/claim-schema.ts';
import type {ClaimSummary, CreatedClaim} from '#ota/contract/claim-api.ts';
import {enrolTestBox, turnableClock, withAuthority, withDeviceServer} from '#test/helper/with-authority.ts';
import {databaseEngines} from '#test/helper/with-fleet-database.ts';

type Page = {items: ClaimSummary[]; nextCursor?: string};

for (const engine of databaseEngines) {
	test(`claims are made in numbers, listed by pages and states, and withdrawn (${engine})`, async (t) => {
		const clock = turnableClock();
		const fixture = await withAuthority(t, {engine, clock});
		const body = {kind: 'pop-node', count: 450, site: 'oslo', tags: ['b', 'a', 'b'], lifeDays: 2};
		const {items} = (await fixture.call('createClaims', {body})) as {items: CreatedClaim[]};
		t.is(new Set(items.map(({file}) => file.token)).size, 450);
		t.notThrows(() => items.map(({file}) => claimSchema.parse(file)));
		t.like(items[0]?.claim, {state: 'open', site: 'oslo', createdBy: 'ada', replaces: false, deviceId: null});
		t.deepEqual(items[0]?.claim.tags, ['a', 'b']);
		const seen = new Set<string>();
		for (let cursor: string | undefined, pages = 0; pages < 10; pages += 1) {
			const page = (await fixture.call('listClaims', {
				query: {limit: 200, ...(cursor === undefined ? {} : {cursor})},
			})) as Page;
			for (const {id} of page.items) {
				seen.add(id);
			}
			cursor = page.nextCursor;
			if (cursor === undefined) {
				break;
			}
		}
		t.is(seen.size, 450);
		const claimId = items[7]?.claim.id;
		await fixture.call('deleteClaim', {parameters: {claimId}});
		await t.throwsAsync(fixture.call('deleteClaim', {parameters: {claimId}}), {code: 'OTA_API_NOT_FOUND'});
		clock.advance(3 * 86_400_000);
		t.is(((await fixture.call('listClaims', {query: {state: 'open'}})) as Page).items.length, 0);
		t.is(((await fixture.call('listClaims', {query: {state: 'expired', limit: 500}})) as Page).items.length, 449);
	});

	test(`no token is in the database (${engine})`, async (t) => {
		const fixture = await withAuthority(t, {engine});
		const {file} = await fixture.claim('box-1');
		const rows = await fixture.context.store.database.selectFrom('claim').selectAll().execute();
		t.false(JSON.stringify(rows).includes(file.token ?? 'none'));
		t.is(rows.length, 1);
	});

	test(`a revoked box comes back by a claim that is made afterwards, and by none before (${engine})`, async (t) => {
		const fixture = await withAuthority(t, {engine});
		const {url} = await withDeviceServer(t, fixture);
		await enrolTestBox(fixture, url, 'box-1');
		const early = (await fixture.call('reclaimBox', {parameters: {id: 'box-1'}})) as CreatedClaim;
		await fixture.call('revokeBox', {parameters: {id: 'box-1'}, body: {reason: 'keyCompromise'}});
		await t.throwsAsync(enrolTestBox(fixture, url, 'box-1', {token: early.file.token ?? ''}), {
			message: /OTA_CLAIM_UNKNOWN/u,
		});
		const late = (await fixture.call('reclaimBox', {parameters: {id: 'box-1'}})) as CreatedClaim;
		await enrolTestBox(fixture, url, 'box-1', {token: late.file.token ?? ''});
		const box = await fixture.context.store.database.selectFrom('box').selectAll().executeTakeFirst();
		t.is(box?.revoked_ms, null);
	});
}

test('a request that contradicts itself is refused', async (t) => {
	const fixture = await withAuthority(t);
	const wrong = [
		{kind: 'stb', deviceIds: ['box-1', 'box-1']},
		{kind: 'stb', deviceIds: ['box-1'], count: 2},
		{kind: 'stb', deviceIds: ['../box']},
		{kind: 'stb', count: 1001},
		{kind: 'toaster'},
	];
	for (const body of wrong) {
		await t.throwsAsync(fixture.call('createClaims', {body}), {name: 'ZodError'});
	}
	await t.throwsAsync(fixture.call('reclaimBox', {parameters: {id: 'nobody'}}), {code: 'OTA_API_NOT_FOUND'});
	await t.throwsAsync(fixture.call('revokeBox', {parameters: {id: 'nobody'}}), {code: 'OTA_API_NOT_FOUND'});
	await t.throwsAsync(fixture.call('revokeCertificate', {parameters: {serial: 'ab'}}), {code: 'OTA_API_NOT_FOUND'});
});

test('one certificate is revoked alone, and the authority tells of its list', async (t) => {
	const fixture = await withAuthority(t);
	const {url} = await withDeviceServer(t, fixture);
	await enrolTestBox(fixture, url, 'box-1');
	const {items} = (await fixture.call('listCertificates', {parameters: {id: 'box-1'}})) as {
		items: {serial: string; state: string}[];
	};
	const {revoked} = (await fixture.call('revokeCertificate', {
		parameters: {serial: items[0]?.serial},
		body: {reason: 'superseded'},
	})) as {revoked: {state: string; revokedReason: string}[]};
	t.like(revoked[0], {state: 'revoked', revokedReason: 'superseded'});
	await fixture.trust.revocations.refresh();
	t.like(await fixture.call('getAuthority'), {fleet: 'Test Fleet', crl: {number: 1, entries: 1}});
});

test('viewers make no claims, operators revoke nothing', async (t) => {
	const fixture = await withAuthority(t);
	const roles = Object.fromEntries(fixture.endpoints.map(({operationId, role}) => [operationId, role]));
	t.deepEqual(roles, {
		listClaims: 'operator',
		createClaims: 'operator',
		deleteClaim: 'operator',
		reclaimBox: 'operator',
		listCertificates: 'viewer',
		revokeBox: 'admin',
		revokeCertificate: 'admin',
		getAuthority: 'viewer',
	});
});
