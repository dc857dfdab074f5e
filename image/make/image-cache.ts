import {accessSync, constants, existsSync, mkdirSync} from 'node:fs';
import {cp, lstat, readdir, rename, rm} from 'node:fs/promises';
import path from 'node:path';
import {CodedError, errorCode, errorMessage} from '#appliance/error/coded-error.ts';
import type {ImageErrorCode} from '#image/error-code.ts';
import {keepOnce} from '#image/make/keep-once.ts';
import {projectRoot} from '#native/project-root.ts';

/** Of one checkout: its keys, and the rest where no other folder can be written. */
export const checkoutCache = path.join(projectRoot, 'build/image-cache');

const variable = 'STREAMVERSE_IMAGE_CACHE';
/** What is whole and the same for each checkout: known by the hash of its recipe, or by its version. */
const sharedName = /^(?:rootfs-[0-9a-f]{16}\.tar|sysroot-[a-z]+-[a-z0-9]+-[0-9a-f]{8}|npm-.+-\d+\.\d+\.\d+)$/u;

/**
 * The folder of what is made or fetched once for all checkouts: the one that somebody named, that of the variable, or the user's
 * own (XDG Base Directory Specification). What a checkout kept by itself is taken over, but not into one that is named for once.
 * @throws CodedError IMAGE_CACHE_INVALID when one that somebody chose cannot be written.
 */
export const openImageCache = async ({
	named,
	environment = process.env,
	checkout = checkoutCache,
}: {
	readonly named?: string | undefined;
	readonly environment?: Readonly<Record<string, string | undefined>>;
	readonly checkout?: string;
} = {}): Promise<string> => {
	if (named !== undefined) {
		return openChosen(path.resolve(named));
	}
	const chosen = environment[variable] ?? '';
	const directory = chosen === '' ? openOwn(environment) : openChosen(path.resolve(chosen));
	if (directory === undefined) {
		return checkout;
	}
	await takeOver(checkout, directory);
	return directory;
};

const openChosen = (directory: string): string => {
	try {
		requireWritable(directory);
		return directory;
	} catch (error) {
		throw new CodedError<ImageErrorCode>('IMAGE_CACHE_INVALID', {
			message: `Nothing can be kept in ${directory} (--cache, ${variable}): ${errorMessage(error)}`,
			cause: error,
		});
	}
};

const openOwn = (environment: Readonly<Record<string, string | undefined>>): string | undefined => {
	const {HOME: home = '', XDG_CACHE_HOME: caches = ''} = environment;
	// A path that is not absolute is to be taken for none.
	const parent = [caches, path.join(home, '.cache')].find((each) => path.isAbsolute(each));
	if (parent === undefined) {
		return undefined;
	}
	const directory = path.join(parent, 'streamverse/image');
	try {
		requireWritable(directory);
		return directory;
	} catch {
		return undefined;
	}
};

const requireWritable = (directory: string): void => {
	mkdirSync(directory, {recursive: true});
	accessSync(directory, constants.W_OK);
};

/** What another user made stays his: a cache of root's holds nothing that somebody else could change. */
const takeOver = async (from: string, to: string): Promise<void> => {
	const names = existsSync(from) ? await readdir(from) : [];
	for (const name of names.filter((each) => sharedName.test(each) && !existsSync(path.join(to, each)))) {
		const [before, target] = [path.join(from, name), path.join(to, name)];
		await move(before, target).catch((error: unknown) => {
			// Another build may have been quicker.
			if (existsSync(before) && !existsSync(target)) {
				throw error;
			}
		});
	}
};

/** To another file system as well. A tarball's time tells how old its packages are. */
const move = async (before: string, target: string): Promise<void> => {
	if ((await lstat(before)).uid !== process.getuid?.()) {
		return;
	}
	try {
		await rename(before, target);
	} catch (error) {
		if (errorCode(error) !== 'EXDEV') {
			throw error;
		}
		const exactly = {recursive: true, preserveTimestamps: true, verbatimSymlinks: true};
		await keepOnce(target, async (place) => await cp(before, place, exactly));
		await rm(before, {recursive: true, force: true});
	}
};
