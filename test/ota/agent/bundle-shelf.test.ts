import {randomBytes} from 'node:crypto';
import {existsSync} from 'node:fs';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {silentLogger} from '#appliance/log/logger.ts';
import type {StartAgentOptions} from '#ota/agent/agent.ts';
import {openAgentStore} from '#ota/agent/agent-store.ts';
import {type BundleShelf, createBundleShelf} from '#ota/agent/bundle-shelf.ts';
import {settleOptions} from '#ota/agent/settled-options.ts';
import {digestBundle, digestBytes} from '#ota/release/digest-bundle.ts';
import {sampleOrder, sampleVerify, sha256Of} from '#test/helper/sample-update.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withMisbehavingServer} from '#test/helper/with-misbehaving-server.ts';

const blockSizeBytes = 4096;
const bytes = randomBytes(20 * blockSizeBytes);

const withShelf = async (
	t: ExecutionContext,
	{slotPaths, directory}: {readonly slotPaths: readonly string[]; readonly directory: string},
): Promise<{readonly shelf: BundleShelf; readonly order: ReturnType<typeof sampleOrder>}> => {
	const path = join(directory, 'published');
	await writeFile(path, bytes);
	const {blockList} = await digestBundle(path, {signal: AbortSignal.timeout(10_000)});
	const {url, agent} = await withMisbehavingServer(t, {
		bytes,
		answer: (asked) => {
			if (asked.request.url?.endsWith('blocks') === true) {
				asked.response.writeHead(200, {'content-length': String(blockList.length)}).end(blockList);
			} else {
				asked.honest();
			}
		},
	});
	const store = openAgentStore(join(directory, 'agent.db'));
	t.teardown(() => store[Symbol.dispose]());
	const options = settleOptions({
		...{stateDirectory: directory, kind: 'stb', compatible: 'bench', format: 'directory', verify: sampleVerify},
		sources: {httpsAgent: () => agent, slotPaths},
		logger: silentLogger(),
		signal: AbortSignal.timeout(30_000),
	} as Partial<StartAgentOptions> as StartAgentOptions);
	const sources = [
		{kind: 'blocks', url: `${url}/blocks`},
		{kind: 'https', url},
	];
	const blocks = {blockSizeBytes, digestBytes, sizeBytes: blockList.length, sha256: sha256Of(blockList)};
	return {shelf: createBundleShelf(options, store), order: sampleOrder({bytes, bundle: {blocks}, order: {sources}})};
};

test('without slots the bundle that was installed is kept, and the next takes its blocks from it', async (t) => {
	const directory = await withDirectory(t);
	const {shelf, order} = await withShelf(t, {slotPaths: [], directory});
	const {signal} = new AbortController();
	t.is((await shelf.fetch(order, {signal})).local, 0);
	await shelf.clean({keep: true});
	t.true(existsSync(join(directory, 'bundle/kept.bundle')));
	t.is((await shelf.fetch(order, {signal})).local, bytes.length);
});

test('a box whose slots can be read takes blocks from those, and keeps no bundle', async (t) => {
	const directory = await withDirectory(t);
	const slot = join(directory, 'rootfs-a');
	await writeFile(slot, bytes.subarray(0, 12 * blockSizeBytes));
	const {shelf, order} = await withShelf(t, {slotPaths: [slot], directory});
	const {signal} = new AbortController();
	t.is((await shelf.fetch(order, {signal})).local, 12 * blockSizeBytes);
	await shelf.clean({keep: true});
	t.false(existsSync(join(directory, 'bundle/kept.bundle')));
});
