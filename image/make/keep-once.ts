import {existsSync} from 'node:fs';
import {mkdir, mkdtemp, rename, rm} from 'node:fs/promises';
import path from 'node:path';

/**
 * A file or a folder that takes long to make and is kept: made where nobody looks for it, and whole once it has its name. Of two
 * builds that make it at once the first one's stays.
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
