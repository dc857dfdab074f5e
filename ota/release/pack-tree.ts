import {createReadStream, createWriteStream} from 'node:fs';
import {lstat, readdir, readlink} from 'node:fs/promises';
import {join, posix} from 'node:path';
import {pipeline} from 'node:stream/promises';
import {pack} from 'tar-stream';
import {releaseError} from '#ota/release/release-error.ts';

type TreeEntry = {
	/** Relative, with `/`. */
	readonly name: string;
	readonly path: string;
	readonly kind: 'file' | 'directory' | 'symlink';
	readonly sizeBytes: number;
	readonly isExecutable: boolean;
};

/** Of every entry: two builds of the same tree must be the same bytes. */
const mtime = new Date('2020-01-01T00:00:00Z');

/** Files of a release tree; beyond it somebody named the wrong folder. */
export const treeEntriesMax = 200_000;

/**
 * A release tree as a plain tar: names in byte order, fixed times and owner, modes 755 or 644. The same tree is the same
 * bytes, on any machine and in any year.
 */
export const packTree = async (
	directory: string,
	options: {
		readonly bundlePath: string;
		readonly signal: AbortSignal;
		readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
	},
): Promise<void> => {
	const entries = await entriesOf(directory);
	const totalBytes = entries.reduce((sum, {sizeBytes}) => sum + sizeBytes, 0);
	const archive = pack();
	const filling = fill(archive, entries, {
		signal: options.signal,
		onBytes: (doneBytes) => options.onProgress?.(doneBytes, totalBytes),
	});
	filling.catch((error: Error) => archive.destroy(error));
	await pipeline(archive, createWriteStream(options.bundlePath, {flags: 'wx'}), {signal: options.signal});
	await filling;
};

const fill = async (
	archive: ReturnType<typeof pack>,
	entries: readonly TreeEntry[],
	{signal, onBytes}: {readonly signal: AbortSignal; readonly onBytes: (doneBytes: number) => void},
): Promise<void> => {
	let doneBytes = 0;
	for (const entry of entries) {
		signal.throwIfAborted();
		const head = {name: entry.name, uid: 0, gid: 0, mtime, mode: entry.isExecutable ? 0o755 : 0o644};
		if (entry.kind === 'file' && entry.sizeBytes > 0) {
			const file = createReadStream(entry.path, {end: entry.sizeBytes - 1});
			await pipeline(file, archive.entry({...head, type: 'file', size: entry.sizeBytes}), {signal});
			doneBytes += entry.sizeBytes;
			onBytes(doneBytes);
		} else {
			const linkname = entry.kind === 'symlink' ? await readlink(entry.path) : '';
			archive.entry({...head, type: entry.kind, ...(entry.kind === 'symlink' ? {linkname} : {})}, '');
		}
	}
	archive.finalize();
};

const entriesOf = async (directory: string): Promise<readonly TreeEntry[]> => {
	const found = await readdir(directory, {recursive: true, withFileTypes: true});
	if (found.length === 0 || found.length > treeEntriesMax) {
		throw treeError(directory, `it has ${found.length} entries (1 to ${treeEntriesMax} are possible)`);
	}
	const entries: TreeEntry[] = [];
	for (const each of found) {
		const path = join(each.parentPath, each.name);
		const name = posix.relative(directory, path);
		const kind = each.isFile()
			? 'file'
			: each.isDirectory()
				? 'directory'
				: each.isSymbolicLink()
					? 'symlink'
					: undefined;
		if (kind === undefined) {
			throw treeError(path, 'it is no file, folder or symbolic link');
		}
		if (kind === 'symlink' && leaves(name, await readlink(path))) {
			throw treeError(path, 'it points out of the tree');
		}
		const {size, mode} = await lstat(path);
		const sizeBytes = kind === 'file' ? size : 0;
		entries.push({name, path, kind, sizeBytes, isExecutable: kind === 'directory' || (mode & 0o111) !== 0});
	}
	return entries.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
};

const leaves = (name: string, target: string): boolean =>
	posix.isAbsolute(target) || posix.join(posix.dirname(name), target).split('/')[0] === '..';

const treeError = (path: string, why: string): Error =>
	releaseError('OTA_RELEASE_TREE_INVALID', {message: `${path} cannot be packed: ${why}.`, details: {path}});
