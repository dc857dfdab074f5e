import {open, rename, rm, stat} from 'node:fs/promises';
import path from 'node:path';

/**
 * Whole or not at all, whenever the power goes. The file belongs to the owner of its directory, who is not to be trusted:
 * nothing that lies there is followed, and what is given away is the file that was just made.
 */
export const replaceFile = async (
	file: string,
	text: string,
	{mode = 0o600}: {readonly mode?: number} = {},
): Promise<void> => {
	const directory = path.dirname(file);
	const {uid, gid} = await stat(directory);
	const partial = `${file}.new`;
	// One that a cut of power left.
	await rm(partial, {force: true});
	{
		await using handle = await open(partial, 'wx', mode);
		await handle.chmod(mode);
		await handle.chown(uid, gid);
		await handle.writeFile(text);
		await handle.sync();
	}
	await rename(partial, file);
	await using handle = await open(directory);
	await handle.sync();
};
