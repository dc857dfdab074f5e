import {type FileHandle, mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {type CatalogueObject, type Priority, prioritySchema} from '#appliance/contract/catalogue-schema.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {openCatalogueTable, type StoreEntry} from '#pop-node/store/catalogue-table.ts';
import {openIfWhole, publishFile} from '#pop-node/store/content-file.ts';
import {createDiskContent} from '#pop-node/store/disk-content.ts';
import {createExclusiveRunner} from '#pop-node/store/exclusive-runner.ts';
import {healStore, partialNameOf} from '#pop-node/store/heal-store.ts';
import {createRoom, type Room} from '#pop-node/store/room.ts';

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
	const partialPathOf = (sha256: string): string => join(partialDirectory, partialNameOf(sha256));
	const disk = {bytes: await healStore({table, contentDirectory, partialDirectory, pathOf, logger}), evictions: 0};
	const content = createDiskContent({table, pathOf, partialPathOf, disk, logger});
	const reserve = createRoom({budgetBytes, usedBytes: () => disk.bytes, evict: content.evict});
	// The bytes are right only if no two changes of disk and index interleave.
	const exclusively = createExclusiveRunner();

	const setStored = async (object: CatalogueObject): Promise<void> => {
		const before = table.findByPath(object.path)?.stored;
		table.markStored(object.path, {...object, nowMs: clock.nowMs()});
		if (before !== undefined && before.sha256 !== object.sha256) {
			await content.drop(before);
		}
	};
	const removeEntry = async (entry: StoreEntry | undefined, revisionMax: number): Promise<void> => {
		if (entry !== undefined && table.remove(entry.path, revisionMax)) {
			await content.dropPartial(entry);
			if (entry.stored !== undefined) {
				await content.drop(entry.stored);
			}
		}
	};
	return {
		table,
		partialPathOf,
		/** For an object that is asked for right now anything may go; else only what matters less. */
		reserve: (sizeBytes: number, priority: Priority | 'asked'): Promise<Room> =>
			exclusively(() => reserve(sizeBytes, priority === 'asked' ? -1 : prioritySchema.options.indexOf(priority))),
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
				disk.bytes += isNew ? object.sizeBytes : 0;
				await setStored(object);
				// The object may have been deleted while its bytes came; then nobody refers to them.
				await content.drop(object);
			}),
		dropPartial: (entry: StoreEntry): Promise<void> => exclusively(() => content.dropPartial(entry)),
		/** Opens what is stored of an object; a file that vanished or shrank heals into a miss. */
		open: async (entry: StoreEntry): Promise<FileHandle | undefined> => {
			if (entry.stored === undefined) {
				return undefined;
			}
			const {sha256, sizeBytes} = entry.stored;
			const handle = await openIfWhole(pathOf(sha256), sizeBytes);
			if (handle === undefined) {
				await exclusively(() => content.forgetLost({sha256, sizeBytes}));
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
		stats: () => ({...table.counts(), ...disk, budgetBytes}),
		[Symbol.dispose]: (): void => table[Symbol.dispose](),
	};
};
