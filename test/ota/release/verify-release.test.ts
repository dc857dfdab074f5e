import 'reflect-metadata';
import {execFile} from 'node:child_process';
import {webcrypto} from 'node:crypto';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {BasicConstraintsExtension, ExtendedKeyUsageExtension, X509CertificateGenerator} from '@peculiar/x509';
import test from 'ava';
import fc from 'fast-check';
import {errorCode} from '#appliance/error/coded-error.ts';
import {createReleaseKey, type ReleaseKey} from '#ota/release/release-key.ts';
import {signRelease} from '#ota/release/sign-release.ts';
import {type SignedRelease, verifyRelease, verifySignedRelease} from '#ota/release/verify-release.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

/** id-kp-clientAuth. */
const clientAuth = '1.3.6.1.5.5.7.3.2';
const codeSigning = '1.3.6.1.5.5.7.3.3';

const run = promisify(execFile);

const manifestText = JSON.stringify({
	version: 1,
	release: '2.4.0',
	createdAt: '2026-11-01T00:00:00Z',
	notes: 'Grüße',
	bundles: [{kind: 'stb', compatible: 'lab', format: 'directory', sizeBytes: 10, sha256: 'a'.repeat(64)}],
});
const manifest = Buffer.from(manifestText);

const sign = async (key: ReleaseKey, nowMs?: number): Promise<Buffer> =>
	signRelease({
		manifest,
		certificatePem: key.certificatePem,
		keyPem: key.keyPem,
		...(nowMs === undefined ? {} : {nowMs}),
	});

const refusalOf = (signed: SignedRelease): string | undefined => {
	try {
		verifyRelease(signed);
		return undefined;
	} catch (error) {
		return errorCode(error);
	}
};

test('a release that its key signed is believed, as bytes and as an order carries it', async (t) => {
	const key = await createReleaseKey({name: 'Lab, "one"'});
	const signature = await sign(key);
	const {manifest: parsed, signer} = verifySignedRelease({manifest, signature, releaseCaPem: key.caPem});
	t.like(parsed, {release: '2.4.0'});
	t.regex(signer, /Lab/u);
	const carried = {manifest: manifestText, signature: signature.toString('base64'), releaseCaPem: key.caPem};
	t.is(verifyRelease(carried).notes, 'Grüße');
});

test('OpenSSL believes our signatures, and we believe those of OpenSSL', async (t) => {
	const key = await createReleaseKey({name: 'Lab'});
	const directory = await withDirectory(t);
	const path = (name: string): string => join(directory, name);
	await writeFile(path('manifest.json'), manifest);
	await writeFile(path('manifest.cms'), await sign(key));
	await writeFile(path('ca.pem'), key.caPem);
	await writeFile(path('release.pem'), key.certificatePem);
	await writeFile(path('release-key.pem'), key.keyPem);
	const {stderr} = await run('openssl', [
		...['cms', '-verify', '-binary', '-inform', 'DER', '-in', path('manifest.cms'), '-content', path('manifest.json')],
		...['-CAfile', path('ca.pem'), '-purpose', 'any', '-out', path('verified')],
	]);
	t.regex(stderr, /success/iu);
	await run('openssl', [
		...['cms', '-sign', '-binary', '-outform', 'DER', '-md', 'sha256', '-in', path('manifest.json')],
		...['-signer', path('release.pem'), '-inkey', path('release-key.pem'), '-out', path('theirs.cms')],
	]);
	const theirs = {manifest, signature: await readFile(path('theirs.cms')), releaseCaPem: key.caPem};
	t.like(verifyRelease(theirs), {release: '2.4.0'});
});

test('a manifest that was altered is refused', async (t) => {
	const key = await createReleaseKey({name: 'Lab'});
	const altered = Buffer.from(manifestText.replace('2.4.0', '2.4.1'));
	const signed = {manifest: altered, signature: await sign(key), releaseCaPem: key.caPem};
	t.is(refusalOf(signed), 'OTA_RELEASE_SIGNATURE_INVALID');
});

test('a signer below another CA of the same name is refused', async (t) => {
	const [key, other] = [await createReleaseKey({name: 'Lab'}), await createReleaseKey({name: 'Lab'})];
	const signed = {manifest, signature: await sign(other), releaseCaPem: key.caPem};
	t.is(refusalOf(signed), 'OTA_RELEASE_SIGNER_UNTRUSTED');
	t.is(refusalOf({...signed, releaseCaPem: ''}), 'OTA_RELEASE_SIGNER_UNTRUSTED');
	t.is(refusalOf({...signed, releaseCaPem: key.caPem + other.caPem}), undefined);
});

test('a certificate for another purpose is refused', async (t) => {
	const key = await createReleaseKey({name: 'Lab', signer: {usages: [clientAuth]}});
	const signed = {manifest, signature: await sign(key), releaseCaPem: key.caPem};
	t.is(refusalOf(signed), 'OTA_RELEASE_SIGNER_UNTRUSTED');
});

test('an end certificate cannot issue another', async (t) => {
	const [key, below] = [await createReleaseKey({name: 'Lab'}), await createReleaseKey({name: 'Lab'})];
	const signature = await signRelease({
		manifest,
		certificatePem: below.certificatePem + key.certificatePem,
		keyPem: below.keyPem,
	});
	t.is(refusalOf({manifest, signature, releaseCaPem: key.caPem}), 'OTA_RELEASE_SIGNER_UNTRUSTED');
});

test('the time of signing counts, not the clock: what was valid then stays valid, what was not never is', async (t) => {
	const dayMs = 86_400_000;
	const nowMs = Date.parse('2020-06-01T00:00:00Z');
	const key = await createReleaseKey({name: 'Lab', nowMs, signer: {fromMs: nowMs, toMs: nowMs + dayMs}});
	const signedThen = {manifest, signature: await sign(key, nowMs + 1000), releaseCaPem: key.caPem};
	t.is(refusalOf(signedThen), undefined);
	const signedLate = {manifest, signature: await sign(key, nowMs + 2 * dayMs), releaseCaPem: key.caPem};
	t.is(refusalOf(signedLate), 'OTA_RELEASE_EXPIRED');
});

test('no single bit of a signature can be changed where it matters, and no cut passes', async (t) => {
	const key = await createReleaseKey({name: 'Lab'});
	const signature = await sign(key);
	fc.assert(
		fc.property(fc.nat(signature.length - 1), fc.nat(7), (index, bit) => {
			const flipped = Buffer.from(signature);
			flipped[index] = (flipped[index] ?? 0) ^ (1 << bit);
			const outcome = refusalOf({manifest, signature: flipped, releaseCaPem: key.caPem}) ?? 'believed';
			// A bit of what nobody signs (an algorithm's NULL parameter) may change; what is believed never does.
			return outcome === 'believed' || String(outcome).startsWith('OTA_RELEASE_');
		}),
		{numRuns: 150, seed: 7},
	);
	for (const length of [0, 1, 20, signature.length - 1]) {
		const cut = {manifest, signature: signature.subarray(0, length), releaseCaPem: key.caPem};
		t.is(refusalOf(cut), 'OTA_RELEASE_SIGNATURE_INVALID');
	}
	const longer = {manifest, signature: Buffer.concat([signature, Buffer.from([0])]), releaseCaPem: key.caPem};
	t.is(refusalOf(longer), 'OTA_RELEASE_SIGNATURE_INVALID');
});

test('what is too large is not even parsed', async (t) => {
	const key = await createReleaseKey({name: 'Lab'});
	const large = Buffer.alloc(48 * 1024 + 1, 0x20);
	t.is(
		refusalOf({manifest: large, signature: Buffer.alloc(1), releaseCaPem: key.caPem}),
		'OTA_RELEASE_MANIFEST_INVALID',
	);
	const signature = Buffer.alloc(17 * 1024);
	t.is(refusalOf({manifest, signature, releaseCaPem: key.caPem}), 'OTA_RELEASE_SIGNATURE_INVALID');
});

test('of a CA that two roots have certified, either certificate leads to the root that is trusted', async (t) => {
	const algorithm = {name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256'};
	const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
	const days = {notBefore: new Date(Date.now() - 86_400_000), notAfter: new Date(Date.now() + 86_400_000)};
	const shared = {...days, signingAlgorithm: algorithm};
	const ca = [new BasicConstraintsExtension(true, undefined, true)];
	const [oldKeys, newRootKeys, middleKeys, signerKeys] = [
		await newKeys(),
		await newKeys(),
		await newKeys(),
		await newKeys(),
	];
	const rootOf = (name: string, keys: Awaited<ReturnType<typeof newKeys>>) =>
		X509CertificateGenerator.createSelfSigned({...shared, name, keys, extensions: ca});
	const roots = [await rootOf('CN=Old', oldKeys), await rootOf('CN=New', newRootKeys)] as const;
	const middleOf = (issuer: string, signingKey: (typeof oldKeys)['privateKey']) =>
		X509CertificateGenerator.create({
			...{...shared, subject: 'CN=Middle', issuer, signingKey},
			...{publicKey: middleKeys.publicKey, extensions: ca},
		});
	const middles = [await middleOf('CN=Old', oldKeys.privateKey), await middleOf('CN=New', newRootKeys.privateKey)];
	const signer = await X509CertificateGenerator.create({
		...{...shared, subject: 'CN=Signer', issuer: 'CN=Middle', signingKey: middleKeys.privateKey},
		...{publicKey: signerKeys.publicKey, extensions: [new ExtendedKeyUsageExtension([codeSigning])]},
	});
	const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', signerKeys.privateKey)).toString('base64');
	const signature = await signRelease({
		manifest,
		certificatePem: [signer, ...middles].map((each) => `${each.toString('pem')}\n`).join(''),
		keyPem: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
	});
	for (const root of roots) {
		t.is(refusalOf({manifest, signature, releaseCaPem: `${root.toString('pem')}\n`}), undefined, root.subject);
	}
	const foreign = await createReleaseKey({name: 'Lab'});
	t.is(refusalOf({manifest, signature, releaseCaPem: foreign.caPem}), 'OTA_RELEASE_SIGNER_UNTRUSTED');
});
