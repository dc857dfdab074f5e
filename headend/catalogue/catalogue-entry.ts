import type {CatalogueObject, Priority} from '#appliance/contract/catalogue-schema.ts';

/** What an object is to a player, as its first bytes tell. */
export type ObjectForm = 'dash' | 'hls-multivariant' | 'hls-media' | 'init';

/** Who put an object in: only `upload` and `live` own their file. */
export type CatalogueOrigin = 'upload' | 'directory' | 'live';

/** An object of the catalogue with what only the headend knows of it. */
export type CatalogueEntry = CatalogueObject & {
	/** Base64, for Content-MD5. */
	readonly md5: string;
	readonly filePath: string;
	readonly origin: CatalogueOrigin;
	/** The file's mtime when it was hashed; a referenced file that differs is not sent. */
	readonly modifiedMs: number;
	/** Revision at which the path first appeared: the carousel's stable order. */
	readonly order: number;
	readonly storedMs: number;
	readonly form?: ObjectForm | undefined;
};

export type CataloguePut = {
	readonly path: string;
	readonly uri: string;
	readonly sizeBytes: number;
	readonly sha256: string;
	readonly md5: string;
	readonly contentType: string;
	readonly priority: Priority;
	readonly service?: string | undefined;
	readonly expiresMs?: number | undefined;
	readonly freshUntilMs?: number | undefined;
	readonly filePath: string;
	readonly origin: CatalogueOrigin;
	readonly modifiedMs: number;
	readonly form?: ObjectForm | undefined;
};

/** What a client may see. */
export const toCatalogueObject = (entry: CatalogueEntry): CatalogueObject => ({
	path: entry.path,
	uri: entry.uri,
	sizeBytes: entry.sizeBytes,
	sha256: entry.sha256,
	contentType: entry.contentType,
	priority: entry.priority,
	...(entry.service === undefined ? {} : {service: entry.service}),
	...(entry.expiresMs === undefined ? {} : {expiresMs: entry.expiresMs}),
	...(entry.freshUntilMs === undefined ? {} : {freshUntilMs: entry.freshUntilMs}),
	revision: entry.revision,
});
