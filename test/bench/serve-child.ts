import {randomBytes} from 'node:crypto';
import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {objectUriOfPath} from '#appliance/contract/object-uri.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import {createObjectCache} from '#stb/cache/create-object-cache.ts';
import {digestOfFile} from '#stb/cache/verify-file.ts';
import type {DataPlane} from '#stb/serve/entity-tag.ts';
import {startServing} from '#stb/serve/start-serving.ts';

/** The serving side of a set-top by itself, so that its processor time is all that this process and its children use. */
const [directory = '', plane = 'node', sizes = '[]'] = process.argv.slice(2);
const abort = new AbortController();
const logger = silentLogger();
await mkdir(directory, {recursive: true});
const cache = createObjectCache({directory, logger});
await cache.start({signal: abort.signal});
for (const sizeBytes of JSON.parse(sizes) as number[]) {
	const filePath = join(cache.layout.incoming, String(sizeBytes));
	await writeFile(filePath, randomBytes(sizeBytes));
	await cache.commit({
		uri: objectUriOfPath(`/streamverse/${sizeBytes}.m4s`),
		filePath,
		...(await digestOfFile(filePath, abort)),
		contentType: 'video/iso.segment',
		priority: 'high',
		source: 'multicast',
	});
}
const serving = await startServing({
	cache,
	arrivals: {find: () => undefined, settled: () => Promise.resolve()},
	origin: {objectBaseUri: 'http://dvb.gw/streamverse/', baseUrls: () => []},
	listen: {host: '127.0.0.1', port: 0},
	dataPlane: plane as DataPlane,
	logger,
	signal: abort.signal,
});
process.once('disconnect', () => {
	void serving[Symbol.asyncDispose]().then(async () => await cache[Symbol.asyncDispose]());
});
process.send?.({url: serving.url, dataPlane: serving.dataPlane});
