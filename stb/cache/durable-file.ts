import {open, rename} from 'node:fs/promises';

/** Makes the bytes of a file survive a power cut. */
export const syncFile = async (path: string): Promise<void> => {
	await using handle = await open(path, 'r+');
	await handle.sync();
};

/** Makes what was renamed, created or removed in a directory survive a power cut. */
export const syncDirectory = async (path: string): Promise<void> => {
	await using handle = await open(path, 'r');
	await handle.sync();
};

/** Writes a small file so that readers see all of it or none; its directory is the caller's to sync. */
export const writeDurably = async (
	path: string,
	text: string,
	{temporaryPath}: {readonly temporaryPath: string},
): Promise<void> => {
	{
		await using handle = await open(temporaryPath, 'w', 0o640);
		await handle.writeFile(text);
		await handle.sync();
	}
	await rename(temporaryPath, path);
};
