import {chown, open, rename, stat} from 'node:fs/promises';
import path from 'node:path';

/** Whole or not at all, whenever the power goes. The file belongs to the owner of its directory. */
export const replaceFile = async (
	file: string,
	text: string,
	{mode = 0o600}: {readonly mode?: number} = {},
): Promise<void> => {
	const directory = path.dirname(file);
	const {uid, gid} = await stat(directory);
	const partial = `${file}.new`;
	{
		await using handle = await open(partial, 'w', mode);
		// One that a cut of power left keeps the mode it had.
		await handle.chmod(mode);
		await handle.writeFile(text);
		await handle.sync();
	}
	await chown(partial, uid, gid);
	await rename(partial, file);
	await using handle = await open(directory);
	await handle.sync();
};
