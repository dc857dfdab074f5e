import {randomBytes} from 'node:crypto';
import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {stringify} from 'yaml';
import {eventually} from '#test/helper/eventually.ts';
import {freePort} from '#test/helper/free-port.ts';
import {freeUdpPort} from '#test/helper/free-udp-port.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withProcess} from '#test/helper/with-process.ts';

test('what does not fit is told before anything is sent, and beside each object of the list', async (t) => {
	t.timeout(90_000);
	const directory = await withDirectory(t);
	const media = join(directory, 'media');
	await mkdir(media);
	await writeFile(join(media, 'small.bin'), randomBytes(50_000));
	await writeFile(join(media, 'large.bin'), randomBytes(2_000_000));
	const port = await freePort();
	const file = join(directory, 'box.yaml');
	await writeFile(
		file,
		stringify({
			version: 1,
			box: {id: 'headend-list', kind: 'headend', stateDirectory: join(directory, 'state')},
			headend: {
				listen: {host: '127.0.0.1', port},
				catalogue: {directory: media, directorySettleMs: 100},
				carousel: {cycleMs: 10_000},
				uplink: {
					interfaceAddress: '127.0.0.1',
					port: await freeUdpPort(),
					announcement: {port: await freeUdpPort()},
					rateBps: 1_000_000,
				},
			},
		}),
	);
	// Files are taken in once they are at rest, which these are by the time that the process runs.
	const headend = withProcess(t, {script: 'headend/main.ts', args: ['--config', file]});
	await eventually('it is ready', () => headend.output().includes('"msg":"ready"'), {timeoutMs: 60_000});
	const told = headend
		.output()
		.indexOf('1 of 2 objects do not fit into a cycle of 10 s at 1.0 Mbit/s and are not sent');
	t.true(told !== -1 && told < headend.output().indexOf('"msg":"ready"'), headend.output());
	t.regex(headend.output(), /all of them need [12]\.\d Mbit\/s/u);
	t.regex(headend.output(), /does not fit into the carousel: large\.bin: It needs \d+ bytes on air/u);

	const list = withProcess(t, {
		script: 'cli/main.ts',
		args: ['catalogue', 'list', '--url', `http://127.0.0.1:${port}`],
	});
	t.is((await list.ended).code, 0);
	t.regex(list.output(), /large\.bin {2}\(not on air: It needs /u);
	t.regex(list.output(), /small\.bin\n/u);
	t.regex(list.output(), /1 object does not fit/u);
});
