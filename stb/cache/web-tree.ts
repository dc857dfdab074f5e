import {link, mkdir, rename, rm, rmdir} from 'node:fs/promises';
import {dirname, extname, join} from 'node:path';
import {gatewayHost, type ObjectUri} from '#appliance/contract/object-uri.ts';
import {errorCode, hasCode} from '#appliance/error/coded-error.ts';
import {contentTypeOf, contentTypesByExtension} from '#appliance/http/content-type-of.ts';
import type {Logger} from '#appliance/log/logger.ts';

/** A copy that becomes stale sooner needs a decision per request, which nginx cannot make. */
export const freshForMsMin = 30_000;

/** Replacing goes through this name, which no object has: names of the first level do not begin with a dot. */
const stagingName = '.staging';

/**
 * The name below `www`, or undefined for what must not stand there: other hosts, and paths that nginx would fold onto
 * another object's (it merges slashes).
 */
export const webPathOf = (uri: ObjectUri): string | undefined => {
	const {host, protocol, pathname} = new URL(uri);
	const segments = pathname.slice(1).split('/').map(decodeURIComponent);
	const usable =
		protocol === 'http:' &&
		host === gatewayHost &&
		// What begins with a dot at the top is the tree's own, or a name that nginx is told never to find (`/.ours`).
		segments[0]?.startsWith('.') === false &&
		segments.every((segment) => segment !== '' && segment !== '.' && segment !== '..');
	return usable ? segments.join('/') : undefined;
};

/**
 * nginx types a file by its extension. Of what streaming players fetch, any name for the type will do; anything else must
 * have the very type that it was sent with.
 */
const isTypedByName = (name: string, contentType: string): boolean =>
	contentTypesByExtension()[extname(name).toLowerCase()] !== undefined ||
	(contentTypeOf(name) === contentType && contentType === 'application/octet-stream');

export type WebTree = {
	/** Puts the object under its path at once in place of an older version; answers whether it stands there. */
	readonly show: (
		object: {readonly uri: ObjectUri; readonly contentType: string},
		objectFile: string,
	) => Promise<boolean>;
	readonly hide: (uri: ObjectUri) => Promise<void>;
	readonly clear: () => Promise<void>;
};

/** The tree of hard links for nginx. Whatever goes wrong in it costs speed only: our process serves what it lacks. */
export const createWebTree = ({directory, logger}: {readonly directory: string; readonly logger: Logger}): WebTree => {
	const staging = join(directory, stagingName);
	let sequence = 0;
	const put = async (path: string, objectFile: string): Promise<void> => {
		sequence += 1;
		const temporary = join(staging, String(sequence));
		await mkdir(dirname(path), {recursive: true});
		await link(objectFile, temporary);
		try {
			await rename(temporary, path);
		} finally {
			// Renaming between two links of one file does nothing, and leaves both (rename(2)).
			await rm(temporary, {force: true});
		}
	};
	/** Years of titles would leave a directory each, and none of these names could become an object's. */
	const removeEmpty = async (name: string): Promise<void> => {
		for (let parent = name; parent !== '.'; parent = dirname(parent)) {
			try {
				await rmdir(join(directory, parent));
			} catch (error) {
				if (hasCode(error, 'ENOTEMPTY', 'ENOENT', 'EEXIST')) {
					return;
				}
				throw error;
			}
		}
	};
	return {
		show: async ({uri, contentType}, objectFile) => {
			const name = webPathOf(uri);
			if (name === undefined || !isTypedByName(name, contentType)) {
				return false;
			}
			try {
				await put(join(directory, name), objectFile);
				return true;
			} catch (error) {
				// One object's path may be a directory of another's (`a` and `a/b`); the first one keeps it.
				logger.debug({uri, code: errorCode(error)}, 'an object is left to our own process');
				return false;
			}
		},
		hide: async (uri) => {
			const name = webPathOf(uri);
			if (name !== undefined) {
				try {
					await rm(join(directory, name), {force: true});
					await removeEmpty(dirname(name));
				} catch (error) {
					logger.debug({uri, code: errorCode(error)}, 'an object was not in the web tree');
				}
			}
		},
		clear: async () => {
			await rm(directory, {recursive: true, force: true});
			await mkdir(staging, {recursive: true});
		},
	};
};
