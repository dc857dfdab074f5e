import {appendFile, mkdir, readdir, readFile, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withHeadend} from '#test/helper/with-headend.ts';
import {withProcess} from '#test/helper/with-process.ts';

type Outcome = {readonly code: number | null; readonly output: string};

const run = async (t: ExecutionContext, ...args: readonly string[]): Promise<Outcome> => {
	const child = withProcess(t, {script: 'cli/main.ts', args: ['release', ...args]});
	const {code} = await child.ended;
	return {code, output: child.output()};
};

test('a person makes a key and a release of a folder, signs, verifies and puts it on a headend', async (t) => {
	const directory = await withDirectory(t);
	const path = (...names: readonly string[]): string => join(directory, ...names);
	await mkdir(path('tree', 'bin'), {recursive: true});
	await writeFile(path('tree', 'bin', 'role'), 'second version');
	const [key, release, ca] = [path('key'), path('release'), path('key', 'ca.pem')];
	t.like(await run(t, 'create-key', key, '--name', 'Lab'), {code: 0});
	t.is((await stat(path('key', 'release-key.pem'))).mode & 0o777, 0o600);
	const again = await run(t, 'create-key', key);
	t.not(again.code, 0, 'a key is never overwritten');
	const created = await run(t, 'create', release, '--release', '2.4.0', '--bundle', `stb:lab:${path('tree')}`);
	t.is(created.code, 0, created.output);
	const unsigned = await run(t, 'verify', release, '--ca', ca);
	t.regex(unsigned.output, /not signed.*OTA_RELEASE_SIGNATURE_INVALID/u);
	t.like(await run(t, 'sign', release, '--key', key), {code: 0});
	const verified = await run(t, 'verify', release, '--ca', ca);
	t.is(verified.code, 0, verified.output);
	t.regex(verified.output, /2\.4\.0 stb lab directory .*good: signed by CN=Lab release/su);
	const headend = await withHeadend(t);
	const published = await run(t, 'publish', release, '--headend', headend.url);
	t.is(published.code, 0, published.output);
	const {bundles} = JSON.parse(await readFile(path('release', 'manifest.json'), 'utf8'));
	const object = await fetch(`${headend.url}/catalogue/release/${bundles[0].sha256}`);
	t.is(object.status, 200);
	t.is(Number(object.headers.get('content-length')), bundles[0].sizeBytes);
	await object.body?.cancel();
	const [artifact = ''] = await readdir(path('release', 'artifact'));
	await appendFile(path('release', 'artifact', artifact), 'x');
	const altered = await run(t, 'verify', release, '--ca', ca);
	t.not(altered.code, 0);
	t.regex(altered.output, /OTA_RELEASE_BUNDLE_INVALID/u);
	const nowhere = await run(t, 'publish', release);
	t.regex(nowhere.output, /--fleet <url>/u);
});
