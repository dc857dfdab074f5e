import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {inspect} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {loadFleetConfig} from '#ota/fleet/config/load-fleet-config.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const load = async (t: ExecutionContext, text?: string, environment: Record<string, string> = {}) => {
	let filePath: string | undefined;
	if (text !== undefined) {
		filePath = join(await withDirectory(t), 'fleet.yaml');
		await writeFile(filePath, text);
	}
	return loadFleetConfig({filePath, flags: {port: 9000}, environment});
};

test('without a file everything is on loopback', async (t) => {
	const config = await load(t);
	t.like(config, {
		operator: {host: '127.0.0.1', port: 9000},
		device: {host: '127.0.0.1', port: 0},
		broker: {kind: 'mosquitto', host: '127.0.0.1', port: 0},
		fleet: 'streamverse',
	});
	t.is(config.databaseUrl, undefined);
});

test('DATABASE_URL names the database when the file does not', async (t) => {
	const environment = {DATABASE_URL: 'postgres://db/fleet'};
	t.is((await load(t, 'fleet: north', environment)).databaseUrl, 'postgres://db/fleet');
	t.is((await load(t, 'databaseUrl: postgres://other/fleet', environment)).databaseUrl, 'postgres://other/fleet');
});

test('every mistake is told at once', async (t) => {
	const error = await t.throwsAsync(load(t, 'operator: {port: 70000}\ncolour: red'), {code: 'OTA_CONFIG_INVALID'});
	t.regex(error?.message ?? '', /operator\.port/u);
	t.regex(error?.message ?? '', /colour/u);
});

test('what is no YAML is refused', async (t) => {
	await t.throwsAsync(load(t, 'a: [b'), {code: 'OTA_CONFIG_INVALID'});
});

test('no mistake repeats a secret', async (t) => {
	for (const text of [
		'release: {s3: {region: x, accessKeyId: k, secretAccessKey: Zt7-secret, url: "https://k:Zt7-secret@s3.example/b"}}',
		'kafka: {brokers: ["k:1"], sasl: {mechanism: NONE, username: u, password: Zt7-secret}}',
		'fleet: north\nkafka: {sasl: {password: Zt7-secret: x',
	]) {
		const error = await t.throwsAsync(load(t, text), {code: 'OTA_CONFIG_INVALID'});
		t.notRegex(inspect(error, {depth: 9}), /Zt7/u);
		t.regex(error?.message ?? '', /s3\.url|mechanism|line 2/u);
	}
});
