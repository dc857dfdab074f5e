import {existsSync} from 'node:fs';
import {mkdir, mkdtemp, rename, rm} from 'node:fs/promises';
import path from 'node:path';

/**
 * A file or a folder that takes long to make and is kept: made where nobody looks for it, and whole once it has its name. Two
 * builds that make it at once do not see each other, and one of theirs stays. A build that is killed leaves its own beside it.
 */
export const keepOnce = async (target: string, make: (place: string) => Promise<void>): Promise<void> => {
	if (existsSync(target)) {
		return;
	}
	await mkdir(path.dirname(target), {recursive: true});
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
