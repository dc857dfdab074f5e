import {lchown, lstat, mkdir, rm, stat} from 'node:fs/promises';
import path from 'node:path';
import {writeDurably} from '#appliance/store/write-durably.ts';

/*
 * This runs as root in a folder that belongs to somebody else. Nobody of theirs runs yet, but they may have left symbolic
 * links there: none is followed, neither to write nor to read.
 */

/** What came on a stick lies in a folder of its own in the box's state, and belongs to whom the rest belongs to. */
export const stateFolder = async (stateDirectory: string): Promise<string> => {
	const directory = path.join(stateDirectory, 'stick');
	// Before its first boot a box has no state yet.
	await makeFolder(stateDirectory);
	await makeFolder(directory);
	return directory;
};

const makeFolder = async (directory: string): Promise<void> => {
	const facts = await lstat(directory).catch(() => undefined);
	if (facts?.isDirectory() === true) {
		return;
	}
	await rm(directory, {force: true});
	await mkdir(directory, {mode: 0o700});
	await giveToOwner(path.dirname(directory), directory);
};

export const putIntoState = async (stateDirectory: string, name: string, content: string): Promise<void> => {
	const file = path.join(await stateFolder(stateDirectory), name);
	await writeDurably(file, content, {mode: 0o600});
	await giveToOwner(stateDirectory, file);
};

export const giveToOwner = async (ownerOf: string, file: string): Promise<void> => {
	const {uid, gid} = await stat(ownerOf);
	await lchown(file, uid, gid);
};
