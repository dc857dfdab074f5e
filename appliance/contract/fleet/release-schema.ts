import {z} from 'zod';
import {boxKindSchema} from '#appliance/contract/box-schema.ts';

/** A release's version: semantic versioning 2.0.0 without build metadata. */
export const releaseVersionSchema = z
	.string()
	.max(64)
	.regex(/^\d{1,9}\.\d{1,9}\.\d{1,9}(-[0-9A-Za-z.-]+)?$/u, 'must be a semantic version such as 2.4.0 or 2.4.0-rc.1')
	.brand<'ReleaseVersion'>();
export type ReleaseVersion = z.infer<typeof releaseVersionSchema>;

export const sha256Schema = z
	.string()
	.regex(/^[0-9a-f]{64}$/u, 'must be a SHA-256 in lower-case hexadecimal')
	.brand<'Sha256'>();
export type Sha256 = z.infer<typeof sha256Schema>;

/** Why something did not happen: a code for machines, a sentence for people. */
export const reasonSchema = z.object({code: z.string().max(64), message: z.string().max(1024)});
export type Reason = z.infer<typeof reasonSchema>;

/** A RAUC verity bundle, or a tar for the development installer of two directories. */
export const bundleFormats = ['rauc', 'directory'] as const;

const offsetSchema = z.int().min(0);

/**
 * A hash tree that lies in a bundle and follows from the rest of it: that of dm-verity (every level, the highest first), or
 * RAUC's index of an image (the lowest level alone, not filled up to whole blocks).
 */
export const hashTreeSchema = z.strictObject({
	/** What it is over: whole blocks of the bundle. */
	fromBytes: offsetSchema,
	toBytes: offsetSchema,
	salt: z.string().regex(/^(?:[0-9a-f]{2}){0,256}$/u),
	levels: z.enum(['all', 'lowest']),
	/** Where it lies. */
	atBytes: offsetSchema,
});
export type HashTree = z.infer<typeof hashTreeSchema>;

export const bundleSchema = z.strictObject({
	kind: boxKindSchema,
	/** RAUC's `compatible`: the hardware that it is for. */
	compatible: z.string().min(1).max(128),
	format: z.enum(bundleFormats),
	sizeBytes: z
		.int()
		.min(1)
		.max(64 * 1024 ** 3),
	sha256: sha256Schema,
	/** The oldest release that this bundle may follow; absent when it may follow any. */
	minimumRelease: releaseVersionSchema.optional(),
	/** A list of the SHA-256 of each block, in order, by which a box finds the blocks it already has. */
	blocks: z
		.strictObject({
			/** Of each digest only the first bytes are listed: the whole bundle has its own digest. */
			digestBytes: z.int().min(16).max(32).default(32),
			blockSizeBytes: z
				.int()
				.min(4096)
				.max(4 * 1024 ** 2),
			sizeBytes: z.int().min(16),
			sha256: sha256Schema,
			/** What a box computes instead of fetching it, in this order: a later one may be over an earlier one. */
			trees: z.array(hashTreeSchema).max(16).default([]),
		})
		.optional(),
});
export type Bundle = z.infer<typeof bundleSchema>;

/**
 * What a release is. The bytes of this JSON are what the release key signs (detached CMS, RFC 5652): it is parsed only
 * after its signature was found good.
 */
export const releaseManifestSchema = z.strictObject({
	version: z.literal(1),
	release: releaseVersionSchema,
	createdAt: z.iso.datetime(),
	notes: z.string().max(16_384),
	bundles: z.array(bundleSchema).min(1).max(16),
});
export type ReleaseManifest = z.infer<typeof releaseManifestSchema>;

/** A manifest of more bytes than this is refused before it is read; it travels within an order. */
export const manifestBytesMax = 48 * 1024;
export const signatureBytesMax = 16 * 1024;
