import {readdir, readFile, stat} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {type MediaRecipe, recipeKey, sampleRecipe} from '#demo/media/recipe.ts';
import {prepareSampleMedia} from '#demo/media/sample-media.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const tinyRecipe: MediaRecipe = {
	...sampleRecipe,
	title: {durationMs: 4000, rungs: sampleRecipe.title.rungs.slice(0, 2)},
	loop: {durationMs: 2000, rungs: sampleRecipe.loop.rungs.slice(0, 1)},
};

test('encodes a ladder with HLS and DASH manifests once and finds it again', async (t) => {
	const cacheDirectory = await withDirectory(t);
	const lines: string[] = [];
	const options = {
		recipe: tinyRecipe,
		cacheDirectory,
		signal: AbortSignal.timeout(120_000),
		onProgress: (line: string) => void lines.push(line),
	};
	const media = await prepareSampleMedia(options);
	const titleDirectory = join(media.directory, 'vod', 'sample');
	const names = await readdir(titleDirectory);
	t.true(lines.some((line) => line.startsWith('encoding the title')));
	for (const name of ['manifest.mpd', 'master.m3u8', 'media_0.m3u8', 'media_1.m3u8', 'service.json', 'poster.jpg']) {
		t.true(names.includes(name), name);
	}
	t.is(names.filter((name) => name.startsWith('chunk-stream0')).length, 2);
	t.regex(await readFile(join(titleDirectory, 'master.m3u8'), 'utf8'), /RESOLUTION=384x216.*AUDIO=/u);
	t.true((await stat(media.loopPath)).size > 10_000);

	const before = (await stat(join(titleDirectory, 'manifest.mpd'))).mtimeMs;
	t.deepEqual(await prepareSampleMedia(options), media);
	t.is((await stat(join(titleDirectory, 'manifest.mpd'))).mtimeMs, before);
	t.is((await readdir(cacheDirectory)).length, 1);
});

test('an order to stop ends the encoder and leaves nothing half done', async (t) => {
	const cacheDirectory = await withDirectory(t);
	const controller = new AbortController();
	await t.throwsAsync(
		prepareSampleMedia({
			recipe: sampleRecipe,
			cacheDirectory,
			signal: controller.signal,
			onProgress: () => controller.abort(),
		}),
		{name: 'AbortError'},
	);
	t.deepEqual(await readdir(cacheDirectory), []);
});

test('another recipe has another key', (t) => {
	t.not(recipeKey(tinyRecipe), recipeKey(sampleRecipe));
});
