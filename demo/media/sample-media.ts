import {access, mkdir, mkdtemp, rename, rm, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {hasCode} from '#appliance/error/coded-error.ts';
import {loopArgs, type MediaRecipe, posterArgs, recipeKey, serviceText, titleArgs} from '#demo/media/recipe.ts';
import {runFfmpeg} from '#demo/media/run-ffmpeg.ts';

const progressStepPercent = 20;

/** Where the demo's sample lies. */
export type SampleMedia = {
	/** The catalogue's folder: `vod/sample/…`. */
	readonly directory: string;
	readonly loopPath: string;
};

export type SampleMediaOptions = {
	readonly recipe: MediaRecipe;
	/** Encoded samples are kept below it. */
	readonly cacheDirectory: string;
	readonly signal: AbortSignal;
	readonly onProgress: (line: string) => void;
};

/** Encodes the sample unless it lies there from before. A folder appears under its name only when it is whole. */
export const prepareSampleMedia = async (options: SampleMediaOptions): Promise<SampleMedia> => {
	const {recipe, cacheDirectory} = options;
	const directory = join(cacheDirectory, recipeKey(recipe));
	const media = {directory: join(directory, 'catalogue'), loopPath: join(directory, 'loop.mp4')};
	if (await exists(media.loopPath)) {
		return media;
	}
	await mkdir(cacheDirectory, {recursive: true});
	const workDirectory = await mkdtemp(`${directory}-`);
	try {
		await encode(workDirectory, options);
		await rename(workDirectory, directory);
	} catch (error) {
		await rm(workDirectory, {recursive: true, force: true});
		// Another demo that encoded the same at the same time was first.
		if (!hasCode(error, 'ENOTEMPTY', 'EEXIST')) {
			throw error;
		}
	}
	return media;
};

const encode = async (directory: string, {recipe, signal, onProgress}: SampleMediaOptions): Promise<void> => {
	const titleDirectory = join(directory, 'catalogue', 'vod', 'sample');
	await mkdir(titleDirectory, {recursive: true});
	const tell = (what: string) => {
		let told = -progressStepPercent;
		return (ratio: number): void => {
			const percent = Math.floor(ratio * 100);
			if (percent >= told + progressStepPercent) {
				told = percent;
				onProgress(`encoding ${what}: ${percent} %`);
			}
		};
	};
	await runFfmpeg({
		args: titleArgs(recipe),
		cwd: titleDirectory,
		durationMs: recipe.title.durationMs,
		signal,
		onProgress: tell('the title'),
	});
	await runFfmpeg({args: posterArgs(), cwd: titleDirectory, durationMs: 1000, signal});
	await writeFile(join(titleDirectory, 'service.json'), serviceText(recipe));
	await runFfmpeg({
		args: loopArgs(recipe),
		cwd: dirname(dirname(dirname(titleDirectory))),
		durationMs: recipe.loop.durationMs,
		signal,
		onProgress: tell('the live channel'),
	});
};

const exists = async (path: string): Promise<boolean> => {
	try {
		await access(path);
		return true;
	} catch {
		return false;
	}
};
