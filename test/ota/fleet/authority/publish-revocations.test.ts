import {execFileSync} from 'node:child_process';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {toPem} from '#ota/fleet/authority/open-authority.ts';
import {createRevocationPublisher} from '#ota/fleet/authority/publish-revocations.ts';
import {askDevices, enrolTestBox, turnableClock, withAuthority, withDeviceServer} from '#test/helper/with-authority.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {databaseEngines} from '#test/helper/with-fleet-database.ts';

const dayMs = 86_400_000;

test('openssl verifies the list, and by it refuses what was revoked and nothing else', async (t) => {
	const fixture = await withAuthority(t);
	const {url} = await withDeviceServer(t, fixture);
	const directory = await withDirectory(t);
	const path = (name: string): string => join(directory, name);
	const [bad, good] = [await enrolTestBox(fixture, url, 'bad-box'), await enrolTestBox(fixture, url, 'good-box')];
	await fixture.call('revokeBox', {parameters: {id: 'bad-box'}, body: {reason: 'keyCompromise'}});
	const list = await fixture.trust.revocations.refresh();
	await writeFile(path('list.pem'), (await askDevices(fixture, `${url}/revocations.pem`)).body);
	await writeFile(path('chain.pem'), toPem(fixture.trust.authority.chain));
	await writeFile(path('bad.pem'), bad.certificatePem);
	await writeFile(path('good.pem'), good.certificatePem);
	const openssl = (...args: readonly string[]): string => execFileSync('openssl', args, {stdio: 'pipe'}).toString();
	const text = openssl('crl', '-in', path('list.pem'), '-noout', '-text', '-CAfile', path('chain.pem'));
	t.regex(text, /Version 2/u);
	t.regex(text, new RegExp(`X509v3 CRL Number: *\\n *${list.number}\\n`, 'u'));
	t.regex(text, /Key Compromise/u);
	t.regex(text, /Authority Key Identifier/u);
	const verify = ['verify', '-crl_check', '-CAfile', path('chain.pem'), '-CRLfile', path('list.pem')];
	t.regex(openssl(...verify, path('good.pem')), /OK/u);
	const error = t.throws(() => openssl(...verify, path('bad.pem')));
	t.regex(String((error as Error & {stderr: Buffer}).stderr), /certificate revoked/u);
});

for (const engine of databaseEngines) {
	test(`a list is made anew for a revocation and with age, and its number grows by one (${engine})`, async (t) => {
		const clock = turnableClock();
		const fixture = await withAuthority(t, {engine, clock});
		const {url} = await withDeviceServer(t, fixture);
		const {revocations} = fixture.trust;
		await enrolTestBox(fixture, url, 'box-1');
		const first = await revocations.refresh();
		t.is((await revocations.refresh()).number, first.number);
		await fixture.call('revokeBox', {parameters: {id: 'box-1'}});
		const second = await revocations.refresh();
		t.is(second.number, first.number + 1);
		t.is(second.entries, 1);
		t.true(second.this_update_ms >= first.this_update_ms + 1000);
		clock.advance(16 * dayMs);
		const third = await revocations.refresh();
		t.is(third.number, second.number + 1);
		clock.advance(100 * dayMs);
		t.is((await revocations.refresh()).entries, 0);
	});

	test(`servers that publish at once lose no revocation and no number (${engine})`, async (t) => {
		const fixture = await withAuthority(t, {engine});
		const {url} = await withDeviceServer(t, fixture);
		const {database} = fixture.context.store;
		const {issuer} = fixture.trust.authority;
		const names = ['box-1', 'box-2', 'box-3', 'box-4'];
		for (const name of names) {
			await enrolTestBox(fixture, url, name);
		}
		const before = await fixture.trust.revocations.refresh();
		await Promise.all(
			names.map(async (id) => {
				const publisher = createRevocationPublisher({
					database,
					issuer,
					lifeMs: 30 * dayMs,
					clock: fixture.context.clock,
				});
				await fixture.call('revokeBox', {parameters: {id}});
				await publisher.refresh();
			}),
		);
		const after = await fixture.trust.revocations.current();
		t.is(after?.entries, 4);
		t.true((after?.number ?? 0) > before.number && (after?.number ?? 0) <= before.number + 4);
	});
}
