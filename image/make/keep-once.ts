import {existsSync} from 'node:fs';
import {mkdir, mkdtemp, readdir, rename, rm, stat} from 'node:fs/promises';
import path from 'node:path';

/** No build takes so long: whose it was, was killed. */
const abandonedMs = 86_400_000;

/**
 * A file or a folder that takes long to make and is kept: made where nobody looks for it, and whole once it has its name. Two
 * builds that make it at once do not see each other, and one of theirs stays. What a build left that was killed, one of the next
 * day takes away.
 */
export const keepOnce = async (target: string, make: (place: string) => Promise<void>): Promise<void> => {
	if (!existsSync(target)) {
		await keepAnew(target, make);
	}
};

/**
 * The same, whether or not one is kept. A file takes the place of the one before once it is whole, and a build that reads that
 * one reads on; of a folder the one before stays.
 */
export const keepAnew = async (target: string, make: (place: string) => Promise<void>): Promise<void> => {
	await mkdir(path.dirname(target), {recursive: true});
	await removeAbandoned(target);
	const work = await mkdtemp(`${target}.`);
	try {
		const place = path.join(work, path.basename(target));
		await make(place);
		await rename(place, target).catch((error: unknown) => {
			// A folder, unlike a file, does not take the place of one that is there.
			if (!existsSync(target)) {
				throw error;
			}
		});
	} finally {
		await rm(work, {recursive: true, force: true});
	}
};

const removeAbandoned = async (target: string): Promise<void> => {
	const directory = path.dirname(target);
	const works = (await readdir(directory, {withFileTypes: true})).filter(
		(entry) => entry.isDirectory() && isWorkOf(path.basename(target), entry.name),
	);
	for (const work of works.map(({name}) => path.join(directory, name))) {
		// Another build may be taking it away as well.
		const {mtimeMs} = await stat(work).catch(() => ({mtimeMs: Number.POSITIVE_INFINITY}));
		if (Date.now() - mtimeMs > abandonedMs) {
			await rm(work, {recursive: true, force: true});
		}
	}
};

/** As mkdtemp(3) names it. */
const isWorkOf = (name: string, entry: string): boolean =>
	entry.startsWith(`${name}.`) && /^[0-9a-z]{6}$/iu.test(entry.slice(name.length + 1));
