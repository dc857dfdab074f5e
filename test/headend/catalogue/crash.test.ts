import {createHash, randomBytes} from 'node:crypto';
import {readdir, readFile, writeFile} from 'node:fs/promises';
import {request} from 'node:http';
import {join} from 'node:path';
import test from 'ava';
import {stringify} from 'yaml';
import {cataloguePageSchema} from '#appliance/contract/catalogue-schema.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {eventually} from '#test/helper/eventually.ts';
import {freePort} from '#test/helper/free-port.ts';
import {freeUdpPort} from '#test/helper/free-udp-port.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withProcess} from '#test/helper/with-process.ts';

const rounds = 5;

test('killed in the middle of uploads, again and again, a headend never has half an object', async (t) => {
	t.timeout(180_000);
	const directory = await withDirectory(t);
	const stateDirectory = join(directory, 'state');
	const file = join(directory, 'box.yaml');
	const port = await freePort();
	await writeFile(
		file,
		stringify({
			version: 1,
			box: {id: 'headend-crash', kind: 'headend', stateDirectory},
			headend: {
				listen: {port},
				uplink: {interfaceAddress: '127.0.0.1', port: await freeUdpPort(), announcement: {port: await freeUdpPort()}},
			},
		}),
	);
	const url = `http://127.0.0.1:${port}`;
	const bodies = new Map<string, Buffer>();
	const acknowledged = new Set<string>();
	let random = 7;
	const next = (below: number): number => {
		random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
		return random % below;
	};
	const check = async (): Promise<void> => {
		const page = cataloguePageSchema.parse(await (await fetch(`${url}/catalogue?limit=5000`)).json());
		for (const object of page.objects) {
			const bytes = Buffer.from(await (await fetch(`${url}/catalogue/${object.path}`)).arrayBuffer());
			t.is(createHash('sha256').update(bytes).digest('hex'), object.sha256, object.path);
			t.deepEqual(bytes, bodies.get(object.path), object.path);
		}
		const present = new Set(page.objects.map(({path}) => path));
		t.deepEqual(
			[...acknowledged].filter((path) => !present.has(path)),
			[],
			'what was acknowledged is there',
		);
	};
	for (let round = 0; round < rounds; round += 1) {
		const process = withProcess(t, {script: 'headend/main.ts', args: ['--config', file]});
		await eventually('it serves', async () => (await fetch(`${url}/status`)).ok, {timeoutMs: 60_000});
		await check();
		for (let index = 0; index < 6; index += 1) {
			const path = `r${round}/o${index}`;
			const body = randomBytes(50_000 + next(400_000));
			bodies.set(path, body);
			const upload = request(
				`${url}/catalogue/${path}`,
				{method: 'PUT', headers: {'Content-Length': body.length}},
				(answer) => {
					answer.resume();
					if (answer.statusCode === 201) {
						acknowledged.add(path);
					}
				},
			);
			upload.on('error', () => undefined);
			upload.write(body.subarray(0, body.length / 2));
			setTimeout(() => upload.end(body.subarray(body.length / 2)), next(120));
		}
		await sleep(next(150));
		process.kill('SIGKILL');
		await process.ended;
	}
	const last = withProcess(t, {script: 'headend/main.ts', args: ['--config', file]});
	await eventually('it serves', async () => (await fetch(`${url}/status`)).ok, {timeoutMs: 60_000});
	await check();
	const files = await readdir(join(stateDirectory, 'content'), {recursive: true, withFileTypes: true});
	for (const {name, parentPath} of files.filter((entry) => entry.isFile())) {
		t.is(
			createHash('sha256')
				.update(await readFile(join(parentPath, name)))
				.digest('hex'),
			name,
		);
	}
	last.kill('SIGTERM');
	t.is((await last.ended).code, 0);
});
