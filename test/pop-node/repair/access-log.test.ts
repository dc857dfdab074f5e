import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {silentLogger} from '#appliance/log/logger.ts';
import {type AccessLogEntry, openAccessLog} from '#pop-node/repair/access-log.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

/** Five lines. */
const fileBytesMax = 700;
const entryOf = (status: number): AccessLogEntry => ({
	...{time: '2030-01-01T00:00:00.000Z', client: '127.0.0.1', method: 'GET', path: '/streamverse/a'},
	...{status, bytes: 1000, durationMs: 1},
});

test('lines that come all at once turn to the next file when one is full', async (t) => {
	const path = join(await withDirectory(t), 'access.log');
	const log = openAccessLog({path, fileBytesMax, filesMax: 5, logger: silentLogger()});
	const statuses = Array.from({length: 20}, (_, index) => 200 + index);
	for (const status of statuses) {
		log.write(entryOf(status));
	}
	await log[Symbol.asyncDispose]();
	const files = [`${path}.3`, `${path}.2`, `${path}.1`, path];
	const texts = await eventually('every line is written', async () => {
		const read = await Promise.all(files.map((file) => readFile(file, 'utf8')));
		return read.join('').split('\n').length > statuses.length && read;
	});
	t.deepEqual(
		texts.flatMap((text) => text.trim().split('\n')).map((line) => JSON.parse(line).status),
		statuses,
	);
	for (const text of texts) {
		t.true(text.length <= fileBytesMax, `${text.length} bytes`);
	}
	await t.throwsAsync(readFile(`${path}.4`));
});

test('lines for a file that cannot be opened are counted, and end nothing', async (t) => {
	const path = join(await withDirectory(t), 'none', 'access.log');
	await using log = openAccessLog({path, fileBytesMax, filesMax: 2, logger: silentLogger()});
	await eventually('a line is dropped', () => {
		log.write(entryOf(200));
		return log.stats().dropped > 0;
	});
	await t.throwsAsync(readFile(path));
});
