import {execFileSync} from 'node:child_process';
import {cp, readdir, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {silentLogger} from '#appliance/log/logger.ts';
import {systemClock} from '#appliance/time/clock.ts';
import {authorityConfigSchema} from '#ota/fleet/authority/authority-config.ts';
import {openAuthority} from '#ota/fleet/authority/open-authority.ts';
import {openServerAuthority} from '#ota/fleet/authority/open-server-authority.ts';
import {withAuthority} from '#test/helper/with-authority.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withFleetDatabase} from '#test/helper/with-fleet-database.ts';

const common = {fleet: 'Test Fleet', clock: systemClock, logger: silentLogger()} as const;

test('the files are for their owner alone, and the root key is asked to be taken away', async (t) => {
	const fixture = await withAuthority(t);
	const directory = join(fixture.directory, 'authority');
	for (const name of await readdir(directory)) {
		t.is((await stat(join(directory, name))).mode & 0o077, 0, name);
	}
	t.regex(fixture.log(), /the root key lies on this server/u);
	const text = execFileSync('openssl', [
		'x509',
		'-in',
		join(directory, 'issuing-certificate.pem'),
		'-noout',
		'-text',
	]).toString();
	t.regex(text, /CA:TRUE, pathlen:0/u);
	t.regex(text, /Name Constraints: critical\s+Permitted:\s+DirName:O = Test Fleet/u);
	t.regex(text, /NIST CURVE: P-256/u);
});

test('a second start, and a second server with the same files, have the same authority', async (t) => {
	const stateDirectory = await withDirectory(t);
	const {database} = await withFleetDatabase(t, 'sqlite');
	const config = authorityConfigSchema.parse({});
	const both = await Promise.all(
		[1, 2].map(async () => await openAuthority({...common, config, stateDirectory, database})),
	);
	const again = await openAuthority({...common, config, stateDirectory, database});
	t.deepEqual(
		both.map(({caPem}) => caPem),
		[again.caPem, again.caPem],
	);
	t.is((await readdir(stateDirectory)).filter((name) => name.includes('.new-')).length, 0);
	const copy = await withDirectory(t);
	await cp(join(stateDirectory, 'authority'), join(copy, 'authority'), {recursive: true});
	t.is((await openAuthority({...common, config, stateDirectory: copy, database})).caPem, again.caPem);
});

test('a server that has other files than its database, or none, is told so', async (t) => {
	const {database} = await withFleetDatabase(t, 'sqlite');
	const config = authorityConfigSchema.parse({});
	await openAuthority({...common, config, stateDirectory: await withDirectory(t), database});
	const empty = await withDirectory(t);
	await t.throwsAsync(openAuthority({...common, config, stateDirectory: empty, database}), {
		code: 'OTA_AUTHORITY_FOREIGN',
	});
	t.deepEqual(await readdir(empty), []);
	const other = await withDirectory(t);
	const {database: elsewhere} = await withFleetDatabase(t, 'sqlite');
	await openAuthority({...common, config, stateDirectory: other, database: elsewhere});
	await t.throwsAsync(openAuthority({...common, config, stateDirectory: other, database}), {
		code: 'OTA_AUTHORITY_FOREIGN',
	});
});

test("an operator's own authority is used, and a wrong one is refused with what is wrong", async (t) => {
	const directory = await withDirectory(t);
	const path = (name: string): string => join(directory, name);
	const openssl = (...args: readonly string[]): Buffer => execFileSync('openssl', args, {stdio: 'pipe'});
	await writeFile(
		path('ca.ext'),
		'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n',
	);
	const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
	openssl(
		'req',
		'-x509',
		...key,
		'-keyout',
		path('root.key'),
		'-out',
		path('root.pem'),
		'-subj',
		'/CN=Operator root',
		'-days',
		'10',
	);
	openssl(
		'req',
		'-new',
		...key,
		'-keyout',
		path('issuing.key'),
		'-out',
		path('issuing.csr'),
		'-subj',
		'/CN=Operator issuing',
	);
	openssl(
		'x509',
		'-req',
		'-in',
		path('issuing.csr'),
		'-CA',
		path('root.pem'),
		'-CAkey',
		path('root.key'),
		'-CAcreateserial',
		'-days',
		'5',
		'-extfile',
		path('ca.ext'),
		'-out',
		path('issuing.pem'),
	);
	const files = {
		rootCertificate: path('root.pem'),
		issuingCertificate: path('issuing.pem'),
		issuingKey: path('issuing.key'),
	};
	const open = async (changed: Partial<typeof files>) => {
		const {database} = await withFleetDatabase(t, 'sqlite');
		return await openAuthority({
			...common,
			config: authorityConfigSchema.parse({files: {...files, ...changed}}),
			stateDirectory: await withDirectory(t),
			database,
		});
	};
	const authority = await open({});
	await writeFile(path('server.pem'), (await authority.issueServer(['localhost', '127.0.0.1'])).certificatePem);
	const verified = openssl(
		'verify',

		'-CAfile',
		path('root.pem'),
		'-untrusted',
		path('issuing.pem'),
		'-purpose',
		'sslserver',
		'-verify_ip',
		'127.0.0.1',
		path('server.pem'),
	);
	t.regex(verified.toString(), /OK/u);
	for (const [changed, why] of [
		[{issuingKey: path('root.key')}, /not of the issuing certificate/u],
		[{rootCertificate: path('issuing.pem')}, /no issuer of it/u],
		[
			{issuingCertificate: path('server.pem'), issuingKey: path('issuing.key')},
			/key is not of|not the certificate of an authority/u,
		],
		[{issuingKey: path('absent')}, /ENOENT/u],
	] as const) {
		const error = await t.throwsAsync(open(changed), {code: 'OTA_AUTHORITY_FILES'});
		t.regex(String((error as Error).cause), why);
	}
});

test('the authority of servers is made once', async (t) => {
	const stateDirectory = await withDirectory(t);
	const open = async () => await openServerAuthority({...common, stateDirectory});
	const both = await Promise.all([open(), open()]);
	t.is(both[0].caPem, both[1].caPem);
	t.is((await open()).caPem, both[0].caPem);
	const {certificatePem} = await both[0].issueClient('_fleet');
	await writeFile(join(stateDirectory, 'client.pem'), certificatePem);
	const verified = execFileSync('openssl', [
		'verify',
		'-x509_strict',
		'-purpose',
		'sslclient',
		'-CAfile',
		join(stateDirectory, 'server-authority/certificate.pem'),
		join(stateDirectory, 'client.pem'),
	]);
	t.regex(verified.toString(), /OK/u);
});
