import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {contentTypeOf} from '#appliance/http/content-type-of.ts';
import {type MediaRecipe, sampleRecipe} from '#demo/media/recipe.ts';
import {prepareSampleMedia} from '#demo/media/sample-media.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

export type SampleTitle = {
	readonly id: string;
	readonly durationMs: number;
	readonly manifests: readonly string[];
	readonly segments: readonly string[];
	/** Pushes files of the title to a headend, in this order. */
	put(headendUrl: string, names: readonly string[]): Promise<void>;
	/** A file as it was encoded. */
	read(name: string): Promise<Buffer>;
};

const encodeTimeoutMs = 120_000;

/** A title of one small picture size and one tone, encoded for this test. */
export const withSampleTitle = async (t: ExecutionContext, durationMs: number): Promise<SampleTitle> => {
	const recipe: MediaRecipe = {
		...sampleRecipe,
		title: {durationMs, rungs: sampleRecipe.title.rungs.slice(0, 1)},
		loop: {durationMs: 2000, rungs: sampleRecipe.loop.rungs.slice(0, 1)},
	};
	const media = await prepareSampleMedia({
		recipe,
		cacheDirectory: await withDirectory(t),
		signal: AbortSignal.timeout(encodeTimeoutMs),
		onProgress: () => undefined,
	});
	const directory = join(media.directory, 'vod', 'sample');
	const names = (await readdir(directory)).filter((name) => name !== 'poster.jpg').sort();
	// Initialisation segments first, then the title's time, picture and sound of the same moment together.
	const momentOf = (name: string): string => (name.startsWith('init') ? '' : (/-(\d+)\.m4s$/u.exec(name)?.[1] ?? ''));
	const segments = names
		.filter((name) => name.endsWith('.m4s'))
		.sort((a, b) => momentOf(a).localeCompare(momentOf(b)) || a.localeCompare(b));
	return {
		id: 'vod-sample',
		durationMs,
		manifests: names.filter((name) => !name.endsWith('.m4s')),
		segments,
		read: (name) => readFile(join(directory, name)),
		put: async (headendUrl, wanted) => {
			for (const name of wanted) {
				const response = await fetch(`${headendUrl}/catalogue/vod/sample/${name}`, {
					method: 'PUT',
					headers: {'content-type': contentTypeOf(name), 'streamverse-priority': 'high'},
					body: new Uint8Array(await readFile(join(directory, name))),
				});
				t.true(response.ok, `PUT ${name}: ${response.status}`);
			}
		},
	};
};
