import {type FileHandle, mkdir, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {type CatalogueObject, type Priority, prioritySchema} from '#appliance/contract/catalogue-schema.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {openCatalogueTable, type StoreEntry} from '#pop-node/store/catalogue-table.ts';
import {openIfWhole, publishFile} from '#pop-node/store/content-file.ts';
import {createExclusiveRunner} from '#pop-node/store/exclusive-runner.ts';
import {healStore} from '#pop-node/store/heal-store.ts';

const expiredBatch = 500;

export type StoreOptions = {
	readonly directory: string;
	readonly budgetBytes: number;
	readonly logger: Logger;
	readonly clock: Clock;
};

export type ObjectStore = Awaited<ReturnType<typeof openObjectStore>>;

/**
 * Objects on disk, named by their SHA-256, and the index that says which object has which content. A content enters
 * by write, verify, fsync, rename, fsync of the folder, and only then the index, so that a power cut at any point leaves
 * a file that nobody refers to (removed at the next start) and never an entry without its bytes.
 */
export const openObjectStore = async (options: StoreOptions) => {
	const {directory, budgetBytes, logger, clock} = options;
	const contentDirectory = join(directory, 'content');
	const partialDirectory = join(directory, 'partial');
	await mkdir(contentDirectory, {recursive: true});
	await mkdir(partialDirectory, {recursive: true});
	const table = openCatalogueTable(join(directory, 'index.sqlite'));
	const pathOf = (sha256: string): string => join(contentDirectory, sha256.slice(0, 2), sha256);
	let bytes = await healStore({table, contentDirectory, partialDirectory, pathOf, logger});
	let evictions = 0;
	// `bytes` is right only if no two changes of disk and index interleave.
	const exclusively = createExclusiveRunner();

	const dropContent = async (sha256: string, sizeBytes: number): Promise<void> => {
		if (!table.isReferenced(sha256)) {
			await rm(pathOf(sha256), {force: true});
			bytes -= sizeBytes;
		}
	};
	const setStored = async (object: CatalogueObject): Promise<void> => {
		const before = table.findByPath(object.path)?.stored;
		table.markStored(object.path, {...object, nowMs: clock.nowMs()});
		if (before !== undefined && before.sha256 !== object.sha256) {
			await dropContent(before.sha256, before.sizeBytes);
		}
	};
	const removeEntry = async (entry: StoreEntry | undefined, revisionMax: number): Promise<void> => {
		if (entry !== undefined && table.remove(entry.path, revisionMax) && entry.stored !== undefined) {
			await dropContent(entry.stored.sha256, entry.stored.sizeBytes);
		}
	};
	/** Makes room for `sizeBytes` at the cost of what ranks behind `rank`; says whether it succeeded. */
	const makeRoom = async (sizeBytes: number, rank: number): Promise<boolean> => {
		while (bytes + sizeBytes > budgetBytes) {
			const [least] = sizeBytes > budgetBytes ? [] : table.evictable(rank);
			if (least === undefined) {
				return false;
			}
			table.markUnstored(least.sha256, {skipped: true});
			await dropContent(least.sha256, least.sizeBytes);
			evictions += 1;
		}
		return true;
	};
	return {
		table,
		partialPathOf: (sha256: string): string => join(partialDirectory, `${sha256}.part`),
		/** For an object that is asked for right now anything may go; else only what matters less. */
		makeRoom: (sizeBytes: number, priority: Priority | 'asked'): Promise<boolean> =>
			exclusively(() => makeRoom(sizeBytes, priority === 'asked' ? -1 : prioritySchema.options.indexOf(priority))),
		/** Says whether the content is here already, under another object's name, and if so makes it this object's too. */
		adopt: (object: CatalogueObject): Promise<boolean> =>
			exclusively(async () => {
				const here = table.isReferenced(object.sha256);
				if (here) {
					await setStored(object);
				}
				return here;
			}),
		/** Takes a verified partial file over. */
		commit: (object: CatalogueObject, partialPath: string): Promise<void> =>
			exclusively(async () => {
				const isNew = !table.isReferenced(object.sha256);
				await publishFile(partialPath, pathOf(object.sha256));
				bytes += isNew ? object.sizeBytes : 0;
				await setStored(object);
				// The object may have been deleted while its bytes came; then nobody refers to them.
				await dropContent(object.sha256, object.sizeBytes);
			}),
		/** Opens what is stored of an object; a file that vanished or shrank heals into a miss. */
		open: async (entry: StoreEntry): Promise<FileHandle | undefined> => {
			if (entry.stored === undefined) {
				return undefined;
			}
			const {sha256, sizeBytes} = entry.stored;
			const handle = await openIfWhole(pathOf(sha256), sizeBytes);
			if (handle === undefined) {
				logger.warn({path: entry.path, sha256}, 'an object is gone from the disk; it is fetched again');
				table.markUnstored(sha256, {skipped: false});
				bytes -= sizeBytes;
			} else {
				table.touch(entry.path, clock.nowMs());
			}
			return handle;
		},
		remove: (path: string, revisionMax: number): Promise<void> =>
			exclusively(() => removeEntry(table.findByPath(path), revisionMax)),
		removeExpired: (): Promise<number> =>
			exclusively(async () => {
				const entries = table.expired(clock.nowMs(), expiredBatch);
				for (const entry of entries) {
					await removeEntry(entry, Number.MAX_SAFE_INTEGER);
				}
				return entries.length;
			}),
		stats: () => ({...table.counts(), bytes, budgetBytes, evictions}),
		[Symbol.dispose]: (): void => table[Symbol.dispose](),
	};
};
