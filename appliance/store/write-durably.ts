import {randomUUID} from 'node:crypto';
import {open, rename, unlink} from 'node:fs/promises';
import path from 'node:path';

/**
 * Replaces a file so that after a loss of power either the old or the new content is there, whole: written beside, synced,
 * renamed, and the directory synced. The mode is that of the file from its first byte.
 */
export const writeDurably = async (
	filePath: string,
	content: string,
	{mode}: {readonly mode: number},
): Promise<void> => {
	const temporaryPath = `${filePath}.${randomUUID()}.part`;
	try {
		await using handle = await open(temporaryPath, 'wx', mode);
		await handle.writeFile(content);
		await handle.sync();
	} catch (error) {
		await unlink(temporaryPath).catch(() => undefined);
		throw error;
	}
	await rename(temporaryPath, filePath);
	await using directory = await open(path.dirname(filePath), 'r');
	await directory.sync();
};
