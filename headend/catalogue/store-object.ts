import {stat} from 'node:fs/promises';
import type {Priority} from '#appliance/contract/catalogue-schema.ts';
import {contentTypeOf} from '#appliance/http/content-type-of.ts';
import type {Catalogue, PutResult} from '#headend/catalogue/catalogue.ts';
import type {CatalogueOrigin, ObjectForm} from '#headend/catalogue/catalogue-entry.ts';
import type {CataloguePath} from '#headend/catalogue/catalogue-path.ts';
import {objectFormOf} from '#headend/catalogue/object-form.ts';
import type {UploadResult} from '#headend/catalogue/uploads.ts';

type WholeUpload = Extract<UploadResult, {kind: 'whole'}>;

/** What encoders and tools send when they know nothing; the extension knows more. */
const meaninglessTypes = new Set(['application/octet-stream', 'application/x-www-form-urlencoded', 'text/plain']);

const isMeaningless = (contentType: string): boolean =>
	meaninglessTypes.has(contentType.split(';')[0]?.trim().toLowerCase() ?? '');

export type StoreTerms = {
	readonly contentType?: string | undefined;
	readonly priority: Priority;
	readonly origin: CatalogueOrigin;
	readonly service?: string | undefined;
	readonly expiresMs?: number | undefined;
	/** Terms that depend on what the object turns out to be. */
	readonly termsOf?: (form: ObjectForm | undefined) => {readonly expiresMs: number; readonly freshUntilMs?: number};
};

/** Turns a whole upload into an object of the catalogue, and lets go of the upload. */
export const storeObject = async (
	catalogue: Catalogue,
	{path, uri}: CataloguePath,
	upload: WholeUpload,
	terms: StoreTerms,
): Promise<PutResult> => {
	using _hold = upload.hold;
	const contentType =
		terms.contentType === undefined || isMeaningless(terms.contentType)
			? contentTypeOf(decodeURIComponent(path))
			: terms.contentType;
	const form = objectFormOf({contentType, head: upload.head, sizeBytes: upload.sizeBytes});
	const {mtimeMs} = await stat(upload.filePath);
	return catalogue.put({
		path,
		uri,
		sizeBytes: upload.sizeBytes,
		sha256: upload.sha256,
		md5: upload.md5,
		contentType,
		priority: terms.priority,
		service: terms.service,
		expiresMs: terms.expiresMs,
		...terms.termsOf?.(form),
		filePath: upload.filePath,
		origin: terms.origin,
		modifiedMs: mtimeMs,
		form,
	});
};
