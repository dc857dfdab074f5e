import {readdir, rm, stat} from 'node:fs/promises';
import {join} from 'node:path';
import type {Logger} from '#appliance/log/logger.ts';
import type {CatalogueTable} from '#pop-node/store/catalogue-table.ts';

/** Partial downloads kept for a resume after a restart. */
const partialsMax = 256;

const partialExtension = '.part';
export const partialNameOf = (sha256: string): string => `${sha256}${partialExtension}`;

/** After a start, disk and index agree: what one has and the other lacks goes. Answers the bytes stored. */
export const healStore = async (context: {
	readonly table: CatalogueTable;
	readonly contentDirectory: string;
	readonly partialDirectory: string;
	readonly pathOf: (sha256: string) => string;
	readonly logger: Logger;
}): Promise<number> => {
	const {table, contentDirectory, partialDirectory, pathOf, logger} = context;
	let bytes = 0;
	for (const {sha256, sizeBytes} of table.storedContents()) {
		const found = await stat(pathOf(sha256)).catch(() => undefined);
		if (found?.size === sizeBytes) {
			bytes += sizeBytes;
		} else {
			logger.warn({sha256}, 'the index knows an object that the disk lacks; it is fetched again');
			table.markUnstored(sha256, {skipped: false});
		}
	}
	for (const folder of await readdir(contentDirectory)) {
		for (const name of await readdir(join(contentDirectory, folder))) {
			if (!table.isReferenced(name)) {
				await rm(join(contentDirectory, folder, name), {force: true});
			}
		}
	}
	let partials = 0;
	for (const name of await readdir(partialDirectory)) {
		const isWanted = name.endsWith(partialExtension) && table.isWanted(name.slice(0, -partialExtension.length));
		partials += isWanted ? 1 : 0;
		if (!isWanted || partials > partialsMax) {
			await rm(join(partialDirectory, name), {force: true});
		}
	}
	return bytes;
};
