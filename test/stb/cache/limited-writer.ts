import {createHash} from 'node:crypto';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {objectUriOfPath} from '#appliance/contract/object-uri.ts';
import {errorCode} from '#appliance/error/coded-error.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import {createObjectCache} from '#stb/cache/create-object-cache.ts';

/** The victim of file-size-limit.test.ts: commits under a limit on the size of every file until the index cannot grow. */
const objects = 6000;

// Without this the kernel's signal ends the process before the write can fail.
process.on('SIGXFSZ', () => undefined);
const directory = process.argv[2] ?? '';
const cache = createObjectCache({directory, logger: silentLogger(), diskReserveBytes: 0, webTree: false});
await cache.start({signal: new AbortController().signal});
const bytes = Buffer.from('x');
const sha256 = createHash('sha256').update(bytes).digest('hex');
const refused: string[] = [];
let committed = 0;
const commit = async (index: number): Promise<void> => {
	const filePath = join(cache.layout.incoming, String(index));
	await writeFile(filePath, bytes);
	try {
		await cache.commit({
			...{uri: objectUriOfPath(`/${'long/'.repeat(150)}${index}`), filePath, sizeBytes: 1, sha256},
			...{contentType: 'video/mp4', priority: 'medium', source: 'multicast'},
		});
		committed += 1;
	} catch (error) {
		refused.push(errorCode(error) ?? String(error));
	}
};
for (let index = 0; index < objects && refused.length < 3; index += 50) {
	await Promise.all(Array.from({length: 50}, (_, offset) => commit(index + offset)));
}
const [first] = cache.list({limit: 1});
const opened = first === undefined ? undefined : await cache.open(first.uri);
const readable = (await opened?.handle.readFile('utf8')) === 'x';
await opened?.handle.close();
process.stdout.write(JSON.stringify({refused, committed, readable}));
process.exit(0);
