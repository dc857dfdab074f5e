import {createHash, randomBytes} from 'node:crypto';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {objectUriOfPath} from '#appliance/contract/object-uri.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import {createObjectCache} from '#stb/cache/create-object-cache.ts';

/** The victim of crash.test.ts: commits, replaces, removes and evicts until it is killed, and tells what it was told. */
const cache = createObjectCache({
	directory: process.argv[2] ?? '',
	logger: silentLogger(),
	budgetBytes: 600_000,
	diskReserveBytes: 0,
});
await cache.start({signal: new AbortController().signal});
process.send?.({started: true});
/** Returns when it has left the process, so that it is heard of whatever becomes of this process. */
const tell = (told: object): Promise<void> =>
	new Promise((resolve) => process.send?.(told, undefined, {}, () => resolve()));
const lane = async (name: string): Promise<never> => {
	for (let round = 0; ; round++) {
		const bytes = randomBytes(1 + Math.floor(Math.random() * 60_000));
		const path = `/streamverse/${name}/${round % 5}.m4s`;
		const filePath = join(cache.layout.incoming, `${name}-${round}`);
		await writeFile(filePath, bytes);
		const sha256 = createHash('sha256').update(bytes).digest('hex');
		await tell({path, sha256, committed: false});
		await cache.commit({
			uri: objectUriOfPath(path),
			filePath,
			sizeBytes: bytes.length,
			sha256,
			contentType: 'video/iso.segment',
			priority: 'medium',
			source: 'multicast',
		});
		await tell({path, sha256, committed: true});
		if (round % 7 === 6) {
			await cache.remove(objectUriOfPath(path));
		}
	}
};
await Promise.all(['a', 'b', 'c', 'd'].map(lane));
