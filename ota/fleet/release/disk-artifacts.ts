import {copyFile, mkdir, open, rename, rm, stat} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import type {Sha256} from '#appliance/contract/fleet/release-schema.ts';
import {hasCode} from '#appliance/error/coded-error.ts';
import {fileBody} from '#appliance/http/file-body.ts';
import type {ArtifactStore} from '#ota/fleet/release/artifact-store.ts';

/** `<directory>/<first two digits>/<sha256>`. */
export const createDiskArtifacts = ({directory}: {readonly directory: string}): ArtifactStore => {
	const pathOf = (sha256: Sha256): string => join(directory, sha256.slice(0, 2), sha256);
	return {
		size: async (sha256) => (await statIfThere(pathOf(sha256)))?.size,
		take: async (sha256, {path}) => {
			const to = pathOf(sha256);
			await mkdir(dirname(to), {recursive: true});
			await moveFile(path, to);
			await syncDirectory(dirname(to));
		},
		open: async (sha256) => {
			try {
				const handle = await open(pathOf(sha256), 'r');
				const {size} = await handle.stat();
				return {sizeBytes: size, body: (parts) => fileBody(handle, parts), close: () => handle.close()};
			} catch (error) {
				if (hasCode(error, 'ENOENT')) {
					return undefined;
				}
				throw error;
			}
		},
	};
};

/** A rename is there or not, whatever happens to the power; over file systems it is made one by a copy beside it. */
const moveFile = async (from: string, to: string): Promise<void> => {
	try {
		await rename(from, to);
	} catch (error) {
		if (!hasCode(error, 'EXDEV')) {
			throw error;
		}
		await copyFile(from, `${to}.part`);
		await rename(`${to}.part`, to);
		await rm(from, {force: true});
	}
};

const syncDirectory = async (path: string): Promise<void> => {
	const handle = await open(path, 'r');
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
};

const statIfThere = (path: string): Promise<{readonly size: number} | undefined> =>
	stat(path).catch((error: unknown) => {
		if (hasCode(error, 'ENOENT')) {
			return undefined;
		}
		throw error;
	});
