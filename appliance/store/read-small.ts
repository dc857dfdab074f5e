import {constants} from 'node:fs';
import {open} from 'node:fs/promises';
import path from 'node:path';
import {hasCode} from '#appliance/error/coded-error.ts';

/**
 * The whole of a small file, undefined when there is none. Somebody else may have put it there: no symbolic link is
 * followed, and no pipe waited for.
 * @throws RangeError for one that is longer than it may be
 */
export const readSmall = async (file: string, bytesMax: number): Promise<Buffer | undefined> => {
	try {
		await using handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
		const facts = await handle.stat();
		if (!facts.isFile() || facts.size > bytesMax) {
			throw new RangeError(`${path.basename(file)} has ${facts.size} bytes, and may have ${bytesMax}.`);
		}
		return await handle.readFile();
	} catch (error) {
		if (hasCode(error, 'ENOENT', 'ENOTDIR')) {
			return undefined;
		}
		throw error;
	}
};
