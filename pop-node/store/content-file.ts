import {type FileHandle, mkdir, open, rename, rm} from 'node:fs/promises';
import {dirname} from 'node:path';
import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import type {PopNodeErrorCode} from '#pop-node/error-code.ts';

/** Undefined if the file is not there or has not the size that it was stored with. */
export const openIfWhole = async (path: string, sizeBytes: number): Promise<FileHandle | undefined> => {
	try {
		const handle = await open(path, 'r');
		if ((await handle.stat()).size === sizeBytes) {
			return handle;
		}
		await handle.close();
		await rm(path, {force: true});
	} catch (error) {
		if (!hasCode(error, 'ENOENT')) {
			throw error;
		}
	}
	return undefined;
};

/** Gives verified bytes their name, safe against a power cut once it returns. */
export const publishFile = async (partialPath: string, filePath: string): Promise<void> => {
	try {
		await sync(partialPath, 'r+');
		await mkdir(dirname(filePath), {recursive: true});
		await rename(partialPath, filePath);
		await sync(dirname(filePath), 'r');
	} catch (error) {
		if (hasCode(error, 'ENOSPC', 'EDQUOT')) {
			throw new CodedError<PopNodeErrorCode>('POP_NODE_STORE_FULL', {
				message: 'The disk is full; lower pop-node.store.budgetBytes or free some room.',
				cause: error,
				retryable: true,
			});
		}
		throw error;
	}
};

const sync = async (path: string, flags: 'r' | 'r+'): Promise<void> => {
	await using handle = await open(path, flags);
	await handle.sync();
};
