import {join} from 'node:path';

/** Where the cache keeps what. All of it lies on one file system, because objects move by rename and by hard link. */
export type CacheLayout = {
	readonly directory: string;
	/** `<generation>.object` and `<generation>.json`: flat, so that one fsync makes a batch of commits durable. */
	readonly objects: string;
	/** Partial files of whoever receives or fetches; emptied at start. */
	readonly incoming: string;
	/** Hard links named like the URI's path: what nginx serves. Only a view, made anew at start. */
	readonly www: string;
	readonly index: string;
};

export const cacheLayout = (directory: string): CacheLayout => ({
	directory,
	objects: join(directory, 'objects'),
	incoming: join(directory, 'incoming'),
	www: join(directory, 'www'),
	index: join(directory, 'index.db'),
});

const nameOf = (generation: number): string => generation.toString(16).padStart(12, '0');

export const objectPath = (layout: CacheLayout, generation: number): string =>
	join(layout.objects, `${nameOf(generation)}.object`);

export const sidecarPath = (layout: CacheLayout, generation: number): string =>
	join(layout.objects, `${nameOf(generation)}.json`);

const fileName = /^([0-9a-f]{12})\.(object|json)$/u;

/** What a name in `objects` stands for; undefined for what we did not put there. */
export const parseFileName = (
	name: string,
): {readonly generation: number; readonly kind: 'object' | 'json'} | undefined => {
	const match = fileName.exec(name);
	return match === null
		? undefined
		: {generation: Number.parseInt(match[1] ?? '', 16), kind: match[2] === 'object' ? 'object' : 'json'};
};
