import {randomBytes} from 'node:crypto';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {HashTree} from '#appliance/contract/fleet/release-schema.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import {systemClock} from '#appliance/time/clock.ts';
import {type FetchBundleOptions, fetchBundle} from '#ota/agent/fetch/fetch-bundle.ts';
import {blockSizeBytes, digestBundle, digestBytes} from '#ota/release/digest-bundle.ts';
import {findTrees} from '#ota/release/find-trees.ts';
import {makeVerityBundle} from '#test/helper/make-verity-bundle.ts';
import {sampleOrder, sampleVerify, sha256Of} from '#test/helper/sample-update.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withMisbehavingServer} from '#test/helper/with-misbehaving-server.ts';

const signal = AbortSignal.timeout(60_000);
const imageBlocks = 300;

type Fetched = {readonly unicast: number; readonly requests: number; readonly listBytes: number};

const fetchOver = async (
	t: ExecutionContext,
	{bytes, slot, trees}: {readonly bytes: Buffer; readonly slot: Buffer; readonly trees: readonly HashTree[]},
): Promise<Fetched> => {
	const directory = await withDirectory(t);
	const paths = {bundle: join(directory, 'bundle'), slot: join(directory, 'slot'), part: join(directory, 'part')};
	await writeFile(paths.bundle, bytes);
	await writeFile(paths.slot, slot);
	const {blockList} = await digestBundle(paths.bundle, {signal});
	const server = await withMisbehavingServer(t, {
		bytes,
		answer: (asked) => {
			if (asked.request.url?.endsWith('blocks') === true) {
				asked.response.writeHead(200, {'content-length': String(blockList.length)}).end(blockList);
			} else {
				asked.honest();
			}
		},
	});
	const blocks = {blockSizeBytes, digestBytes, sizeBytes: blockList.length, sha256: sha256Of(blockList), trees};
	const sources = [
		{kind: 'blocks', url: `${server.url}/blocks`},
		{kind: 'https', url: server.url},
	];
	const order = sampleOrder({bytes, bundle: {blocks}, order: {sources}});
	const {unicast} = await fetchBundle({
		order,
		bundle: sampleVerify(order).bundles[0] as FetchBundleOptions['bundle'],
		...{path: paths.part, local: [paths.slot, join(directory, 'no-such-slot'), directory], progress: undefined},
		keepProgress: () => undefined,
		httpsAgent: () => server.agent,
		...{clock: systemClock, random: Math.random, logger: silentLogger(), signal},
	});
	t.is(sha256Of(await readFile(paths.part)), sha256Of(bytes));
	return {unicast, requests: server.asked(), listBytes: blockList.length};
};

const setUp = async (t: ExecutionContext) => {
	const directory = await withDirectory(t);
	const data = randomBytes(imageBlocks * blockSizeBytes);
	data.copy(data, 200 * blockSizeBytes, 10 * blockSizeBytes, 12 * blockSizeBytes);
	const bytes = await makeVerityBundle(directory, data);
	const path = join(directory, 'whole');
	await writeFile(path, bytes);
	return {bytes, data, trees: await findTrees(path, {signal})};
};

test('from a slot that is partly the same, only what differs is fetched; trees are computed, and alike blocks come once', async (t) => {
	const {bytes, data, trees} = await setUp(t);
	const slot = Buffer.from(data.subarray(0, 250 * blockSizeBytes));
	for (const block of [10, 11, 200, 201]) {
		slot.fill(0, block * blockSizeBytes, (block + 1) * blockSizeBytes);
	}
	const {unicast, listBytes} = await fetchOver(t, {bytes, slot, trees});
	const fresh = 2 + (imageBlocks - 250);
	// The first block, the superblock, the last block of the index (whose end no tree has), and the signature.
	const rest = 3 * blockSizeBytes + (bytes.length % blockSizeBytes);
	t.is(unicast, listBytes + fresh * blockSizeBytes + rest);
});

test('a tree that was described wrongly is fetched', async (t) => {
	const {bytes, data, trees} = await setUp(t);
	const wrong = trees.map((tree) => ({...tree, salt: tree.levels === 'all' ? '00' : 'ff'}));
	const right = await fetchOver(t, {bytes, slot: data, trees});
	const {unicast} = await fetchOver(t, {bytes, slot: data, trees: wrong});
	// Of the image and of the bundle three blocks under one, of the index two that it fills.
	t.is(unicast - right.unicast, (3 + 1 + (3 + 1) + 2) * blockSizeBytes);
});
