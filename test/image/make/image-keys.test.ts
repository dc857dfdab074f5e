import {execFile, execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {promisify} from 'node:util';
import test from 'ava';
import {openImageKeys, signerOf} from '#image/make/image-keys.ts';
import {projectRoot} from '#native/project-root.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const digestsOf = (directory: string): readonly string[] =>
	readdirSync(directory)
		.sort()
		.map(
			(name) =>
				`${name} ${createHash('sha256')
					.update(readFileSync(path.join(directory, name)))
					.digest('hex')}`,
		);

const isVerified = (args: readonly string[]): boolean => {
	try {
		execFileSync('openssl', ['verify', ...args], {stdio: 'pipe'});
		return true;
	} catch {
		return false;
	}
};

test.serial('a development fleet’s keys are made once, never anew, and what is missing alone is made', async (t) => {
	const directory = path.join(await withDirectory(t), 'keys');
	const keys = openImageKeys(directory, {make: true});
	const before = digestsOf(directory);
	for (const name of readdirSync(directory).filter((file) => file.endsWith('.key'))) {
		t.is(statSync(path.join(directory, name)).mode & 0o077, 0, `${name} is for its owner alone`);
	}
	openImageKeys(directory, {make: true});
	t.deepEqual(digestsOf(directory), before);
	t.deepEqual(openImageKeys(directory, {make: false}), keys);
	rmSync(path.join(directory, 'db.pem'));
	openImageKeys(directory, {make: true});
	t.deepEqual(
		digestsOf(directory)
			.filter((line) => !before.includes(line))
			.map((line) => line.split(' ')[0]),
		['db.key', 'db.pem'],
	);

	const file = (name: string): string => path.join(directory, name);
	for (const trust of ['development', 'release'] as const) {
		const {certificate, intermediate} = signerOf(keys, trust);
		t.true(isVerified(['-CAfile', file('bundle-root.pem'), '-untrusted', intermediate, certificate]));
		t.is(
			isVerified(['-partial_chain', '-CAfile', file('keyring-release.pem'), '-untrusted', intermediate, certificate]),
			trust === 'release',
			`a release image and the chain of ${trust}`,
		);
		const shown = execFileSync('openssl', ['x509', '-in', certificate, '-noout', '-ext', 'extendedKeyUsage,keyUsage'], {
			encoding: 'utf8',
		});
		t.regex(shown, /Code Signing/u);
		t.notRegex(shown, /Certificate Sign/u);
	}
	t.not(keys.keyring.development, keys.keyring.release);
});

test.serial('two builds that make them at once make one chain', async (t) => {
	const directory = path.join(await withDirectory(t), 'keys');
	const make = promisify(execFile);
	const script = path.join(projectRoot, 'image/key/make-keys.sh');
	await Promise.all([make(script, [directory]), make(script, [directory])]);
	const file = (name: string): string => path.join(directory, name);
	for (const trust of ['development', 'release']) {
		const chain = ['-CAfile', file('bundle-root.pem'), '-untrusted', file(`${trust}-ca.pem`)];
		t.true(isVerified([...chain, file(`${trust}-signer.pem`)]), trust);
	}
});

test.serial('a PKCS#11 URI stands for a key that is in no file, and is not made', async (t) => {
	const directory = await withDirectory(t);
	const uri = 'pkcs11:token=streamverse;object=release-signer';
	for (const name of [
		'bundle-root',
		'keyring-development',
		'keyring-release',
		'db',
		'release-signer',
		'development-signer',
	]) {
		writeFileSync(path.join(directory, `${name}.pem`), '');
	}
	writeFileSync(path.join(directory, 'release-signer.pkcs11'), `${uri}\n`);
	writeFileSync(path.join(directory, 'db.pkcs11'), 'pkcs11:object=db');
	for (const name of ['release-ca.pem', 'development-ca.pem', 'development-signer.key']) {
		writeFileSync(path.join(directory, name), '');
	}
	const keys = openImageKeys(directory, {make: false});
	t.is(keys.signers.release.key, uri);
	t.is(keys.secureBoot.key, 'pkcs11:object=db');
	t.is(keys.signers.development.key, path.join(directory, 'development-signer.key'));
});

test('what an operator’s directory lacks is named, key by key, before anything is built', async (t) => {
	const directory = await withDirectory(t);
	t.throws(() => openImageKeys(directory, {make: false}), {
		code: 'IMAGE_KEYS_INVALID',
		message: /bundle-root\.pem.*keyring-release\.pem.*db\.pem.*db\.key/u,
	});
	for (const name of ['bundle-root.pem', 'keyring-development.pem', 'keyring-release.pem', 'db.pem', 'db.key']) {
		writeFileSync(path.join(directory, name), '');
	}
	const keys = openImageKeys(directory, {make: false});
	t.throws(() => signerOf(keys, 'release'), {
		code: 'IMAGE_KEYS_INVALID',
		message: /release-signer\.pem, release-ca\.pem, release-signer\.key/u,
	});
	for (const name of ['release-signer.pem', 'release-ca.pem', 'release-signer.key']) {
		writeFileSync(path.join(directory, name), '');
	}
	t.notThrows(() => signerOf(keys, 'release'));
	t.throws(() => signerOf(keys, 'development'), {code: 'IMAGE_KEYS_INVALID'});
});

test('a directory that cannot be written to is told', async (t) => {
	const file = path.join(await withDirectory(t), 'file');
	writeFileSync(file, '');
	t.throws(() => openImageKeys(path.join(file, 'keys'), {make: true}), {code: 'IMAGE_KEYS_INVALID'});
});
