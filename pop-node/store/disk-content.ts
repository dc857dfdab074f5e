import {rm, stat} from 'node:fs/promises';
import type {Logger} from '#appliance/log/logger.ts';
import type {CatalogueTable, StoreEntry} from '#pop-node/store/catalogue-table.ts';

type Content = {readonly sha256: string; readonly sizeBytes: number};

/** What leaves the disk, with the index in step and the bytes counted. Calls must not interleave. */
export const createDiskContent = (options: {
	readonly table: CatalogueTable;
	readonly pathOf: (sha256: string) => string;
	readonly partialPathOf: (sha256: string) => string;
	readonly disk: {bytes: number; evictions: number};
	readonly logger: Logger;
}) => {
	const {table, pathOf, partialPathOf, disk, logger} = options;
	const drop = async ({sha256, sizeBytes}: Content): Promise<void> => {
		if (!table.isReferenced(sha256)) {
			await rm(pathOf(sha256), {force: true});
			disk.bytes -= sizeBytes;
		}
	};
	return {
		drop,
		/** A partial download that nobody wants any more would lie there for ever. */
		dropPartial: async ({sha256, stored}: StoreEntry): Promise<void> => {
			if (stored?.sha256 !== sha256 && !table.isWanted(sha256)) {
				await rm(partialPathOf(sha256), {force: true});
			}
		},
		/** Throws out what is missed least of what ranks behind; false when nothing does. */
		evict: async (rank: number): Promise<boolean> => {
			const [least] = table.evictable(rank);
			if (least === undefined) {
				return false;
			}
			table.markUnstored(least.sha256, {skipped: true});
			await drop(least);
			disk.evictions += 1;
			return true;
		},
		/** Several requests may find out at once, and an eviction in between has counted the bytes already. */
		forgetLost: async ({sha256, sizeBytes}: Content): Promise<void> => {
			const isThere = (await stat(pathOf(sha256)).catch(() => undefined))?.size === sizeBytes;
			if (!isThere && table.isReferenced(sha256)) {
				logger.warn({sha256}, 'an object is gone from the disk; it is fetched again');
				table.markUnstored(sha256, {skipped: false});
				disk.bytes -= sizeBytes;
			}
		},
	};
};
