import {randomBytes} from 'node:crypto';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {releaseVersionSchema} from '#appliance/contract/fleet/release-schema.ts';
import {createRelease} from '#ota/release/create-release.ts';
import {blockSizeBytes} from '#ota/release/digest-bundle.ts';
import {findTrees} from '#ota/release/find-trees.ts';
import {makeVerityBundle} from '#test/helper/make-verity-bundle.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const signal = AbortSignal.timeout(60_000);

test('the trees of a bundle are found, and named in its release: of its image, of the image’s index, its own', async (t) => {
	const directory = await withDirectory(t);
	const path = join(directory, 'bundle');
	const bytes = await makeVerityBundle(directory, randomBytes(300 * blockSizeBytes));
	await writeFile(path, bytes);
	const trees = await findTrees(path, {signal});
	t.deepEqual(
		trees.map(({levels, salt, fromBytes}) => [levels, salt.length, fromBytes]),
		[
			['all', 64, blockSizeBytes],
			['lowest', 0, blockSizeBytes],
			['all', 64, 0],
		],
	);
	const {manifest} = await createRelease({
		...{directory: join(directory, 'release'), release: releaseVersionSchema.parse('2.4.0'), notes: '', signal},
		bundles: [{path, kind: 'stb', compatible: 'lab', format: 'rauc'}],
	});
	t.deepEqual(manifest.bundles[0]?.blocks?.trees, [...trees]);
});

test('what is not the tree of its data is none', async (t) => {
	const directory = await withDirectory(t);
	const path = join(directory, 'bundle');
	const bytes = await makeVerityBundle(directory, randomBytes(300 * blockSizeBytes));
	bytes[20 * blockSizeBytes] = (bytes[20 * blockSizeBytes] ?? 0) ^ 1;
	await writeFile(path, bytes);
	t.deepEqual(await findTrees(path, {signal}), []);
	for (const length of [0, 7, 8, blockSizeBytes, bytes.length - 1]) {
		await writeFile(path, bytes.subarray(0, length));
		t.deepEqual(await findTrees(path, {signal}), [], `cut off after ${length} bytes`);
	}
});
