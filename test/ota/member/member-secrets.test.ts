import {generateKeyPairSync} from 'node:crypto';
import {mkdir, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {silentLogger} from '#appliance/log/logger.ts';
import {BoxSecrets} from '#ota/member/member-secrets.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const newKey = (): string =>
	generateKeyPairSync('ec', {namedCurve: 'P-256'}).privateKey.export({type: 'pkcs8', format: 'pem'}).toString();
const firstLine = (pem: string): string => pem.split('\n')[1] ?? '';

const withSecrets = async (t: ExecutionContext) => {
	const root = await withDirectory(t);
	const directory = path.join(root, 'fleet');
	await mkdir(directory);
	const paths = {
		box: path.join(root, 'box.yaml'),
		claim: path.join(directory, 'claim.json'),
		brought: path.join(root, 'claim.json'),
		key: path.join(directory, 'key.pem'),
	};
	let config: unknown = {stb: {apiKey: 'Zt7-configured'}};
	const secrets = new BoxSecrets({
		...{directory, boxFilePath: paths.box, claimFile: paths.brought, logger: silentLogger()},
		config: () => config,
	});
	const key = newKey();
	await writeFile(paths.box, 'stb: {password: Zt7-of-the-box-file}\n');
	await writeFile(paths.claim, JSON.stringify({token: 'Zt7-of-the-claim'}));
	await writeFile(paths.brought, JSON.stringify({token: 'Zt7-brought-claim'}));
	await writeFile(paths.key, key);
	return {secrets, paths, key, setConfig: (next: unknown) => (config = next)};
};

const hidden = (t: ExecutionContext, secrets: BoxSecrets, ...values: readonly string[]): void => {
	for (const value of values) {
		t.is(secrets.redact(`it said ${value} today`), 'it said [removed] today');
	}
};

test('what lies in the files of a box is known, and by no shape of its own', async (t) => {
	const {secrets, key} = await withSecrets(t);
	t.is(secrets.redact('it said Zt7-of-the-claim today'), 'it said Zt7-of-the-claim today');
	await secrets.readFiles();
	hidden(t, secrets, 'Zt7-configured', 'Zt7-of-the-box-file', 'Zt7-of-the-claim', 'Zt7-brought-claim', firstLine(key));
});

for (const name of ['box', 'claim', 'brought', 'key'] as const) {
	for (const [how, damage] of [
		['is not there', async (filePath: string) => await rm(filePath)],
		['is no text of its kind', async (filePath: string) => await writeFile(filePath, '{"unfinished: [\n\t- :')],
		['cannot be read', async (filePath: string) => await rm(filePath).then(async () => await mkdir(filePath))],
	] as const) {
		test(`a file that ${how} hides no other’s secrets: ${name}`, async (t) => {
			const {secrets, paths, key} = await withSecrets(t);
			await damage(paths[name]);
			await secrets.readFiles();
			const held = {
				box: 'Zt7-of-the-box-file',
				claim: 'Zt7-of-the-claim',
				brought: 'Zt7-brought-claim',
				key: firstLine(key),
			};
			hidden(t, secrets, ...Object.entries(held).flatMap(([of, secret]) => (of === name ? [] : [secret])));
		});
	}
}

test('a box file that somebody has broken still tells by its names what is secret', async (t) => {
	const {secrets, paths} = await withSecrets(t);
	await writeFile(paths.box, 'stb:\n\tpassword: Zt7-of-the-box-file\n  - {');
	await secrets.readFiles();
	hidden(t, secrets, 'Zt7-of-the-box-file');
});

test('secrets that come later are known at once, and those before them stay known', async (t) => {
	const {secrets, paths, key, setConfig} = await withSecrets(t);
	await secrets.readFiles();
	const {redact} = secrets;
	secrets.noteStructure({stb: {apiKey: 'Zt7-ordered-and-refused'}});
	setConfig({stb: {apiKey: 'Zt7-configured-anew'}});
	const renewed = newKey();
	secrets.noteKey(renewed);
	const known = ['Zt7-ordered-and-refused', 'Zt7-configured-anew', firstLine(renewed), firstLine(key)];
	for (const secret of known) {
		t.false(redact(`a reader who came before hears ${secret}`).includes(secret));
	}
	await writeFile(paths.claim, JSON.stringify({token: 'Zt7-rotated-token'}));
	await secrets.readFiles();
	hidden(t, secrets, ...known, 'Zt7-rotated-token', 'Zt7-of-the-claim', 'Zt7-configured');
});

test('what is remembered has a bound, and the newest are in it', async (t) => {
	const {secrets} = await withSecrets(t);
	for (let n = 0; n < 2500; n += 1) {
		secrets.noteStructure({token: `Zt7-token-${n}-of-many`});
	}
	hidden(t, secrets, 'Zt7-token-2499-of-many', 'Zt7-token-600-of-many');
	t.is(secrets.redact('it said Zt7-token-3-of-many'), 'it said Zt7-token-3-of-many');
});
