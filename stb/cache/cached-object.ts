import {z} from 'zod';
import {type Priority, prioritySchema, sha256Schema} from '#appliance/contract/catalogue-schema.ts';
import type {ObjectUri} from '#appliance/contract/object-uri.ts';

/** Where the bytes came from. */
export const objectSources = ['multicast', 'repaired', 'terrestrial'] as const;
export type ObjectSource = (typeof objectSources)[number];

export type CachedObject = {
	readonly uri: ObjectUri;
	readonly filePath: string;
	readonly sizeBytes: number;
	readonly sha256: string;
	readonly contentType: string;
	readonly priority: Priority;
	readonly source: ObjectSource;
	readonly storedMs: number;
	readonly lastUsedMs: number;
	readonly expiresMs?: number | undefined;
	/** After this the copy must be asked for again; it is kept for when nobody answers. */
	readonly freshUntilMs?: number | undefined;
	readonly pinned: boolean;
};

export type CommitRequest = {
	readonly uri: ObjectUri;
	/** On the cache's file system (its incoming directory); taken over by a rename, removed when refused. */
	readonly filePath: string;
	readonly sizeBytes: number;
	readonly sha256: string;
	readonly contentType: string;
	readonly priority: Priority;
	readonly source: ObjectSource;
	readonly expiresMs?: number | undefined;
	readonly freshUntilMs?: number | undefined;
};

/**
 * What lies beside each object's file. The index is only the fast form of all of these: lost or broken, it is made anew
 * from them.
 */
export const sidecarSchema = z.strictObject({
	version: z.literal(1),
	uri: z.string().max(1024),
	sizeBytes: z.int().min(0),
	sha256: sha256Schema,
	contentType: z.string().max(200),
	priority: prioritySchema,
	source: z.enum(objectSources),
	storedMs: z.int(),
	expiresMs: z.int().optional(),
	freshUntilMs: z.int().optional(),
	pinned: z.boolean(),
});
export type Sidecar = z.infer<typeof sidecarSchema>;

/** An object of the index: `generation` names its files and orders the versions of one URI without trusting the clock. */
export type StoredObject = Omit<CachedObject, 'filePath'> & {readonly generation: number};

export const sidecarOf = (object: StoredObject): Sidecar => ({
	version: 1,
	uri: object.uri,
	sizeBytes: object.sizeBytes,
	sha256: object.sha256,
	contentType: object.contentType,
	priority: object.priority,
	source: object.source,
	storedMs: object.storedMs,
	...(object.expiresMs === undefined ? {} : {expiresMs: object.expiresMs}),
	...(object.freshUntilMs === undefined ? {} : {freshUntilMs: object.freshUntilMs}),
	pinned: object.pinned,
});

export const isExpired = ({expiresMs}: {readonly expiresMs?: number | undefined}, nowMs: number): boolean =>
	expiresMs !== undefined && expiresMs <= nowMs;

export const isFresh = (object: Pick<CachedObject, 'expiresMs' | 'freshUntilMs'>, nowMs: number): boolean =>
	!isExpired(object, nowMs) && (object.freshUntilMs === undefined || object.freshUntilMs > nowMs);
