import {z} from 'zod';

/** Priority of an object on the carousel and in the set-top's cache; live outranks the three and is sent at once. */
export const prioritySchema = z.enum(['live', 'high', 'medium', 'low']);
export type Priority = z.infer<typeof prioritySchema>;

export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/u, 'must be 64 lower-case hexadecimal digits');

/**
 * One object of the headend's catalogue as the headend tells it (GET /catalogue, GET /catalogue/feed).
 * `path` is relative to the operator's base URI: object URI = objectBaseUri + path.
 */
export const catalogueObjectSchema = z.strictObject({
	path: z.string().min(1).max(900),
	uri: z.string().max(1024),
	sizeBytes: z.int().min(0),
	sha256: sha256Schema,
	contentType: z.string().max(200),
	priority: prioritySchema,
	/** Id of the service or title that the object belongs to. */
	service: z.string().max(200).optional(),
	/** Unix ms after which the object leaves the catalogue, and every cache. */
	expiresMs: z.int().optional(),
	/** Unix ms after which a cached copy must be asked for again (live manifests); absent = until it expires. */
	freshUntilMs: z.int().optional(),
	/** Grows with every change of the catalogue. */
	revision: z.int().min(0),
});
export type CatalogueObject = z.infer<typeof catalogueObjectSchema>;

/** GET /catalogue?after=<path>&limit=<n>: a page, ordered by path; `next` is absent on the last one. */
export const cataloguePageSchema = z.strictObject({
	revision: z.int().min(0),
	objects: z.array(catalogueObjectSchema),
	next: z.string().optional(),
});
export type CataloguePage = z.infer<typeof cataloguePageSchema>;

/** A `data:` line of GET /catalogue/feed?since=<revision> (server-sent events; the event id is the revision). */
export const catalogueChangeSchema = z.discriminatedUnion('kind', [
	z.strictObject({kind: z.literal('put'), object: catalogueObjectSchema}),
	z.strictObject({kind: z.literal('delete'), path: z.string(), revision: z.int().min(0)}),
]);
export type CatalogueChange = z.infer<typeof catalogueChangeSchema>;

/**
 * The strong ETag of an object on every box that serves it: the SHA-256 of its identity encoding. A set-top can thereby
 * ask any pop-node for a range with If-Range before it has ever spoken to it.
 */
export const entityTagOf = (sha256: string): string => `"${sha256}"`;
