import {z} from 'zod';
import {
	manifestBytesMax,
	releaseManifestSchema,
	releaseVersionSchema,
	sha256Schema,
	signatureBytesMax,
} from '#appliance/contract/fleet/release-schema.ts';
import {pageOf, pageQuerySchema} from '#ota/contract/page-api.ts';

/** `uploading`: signed and known, but bytes are missing. Only a `published` release can be rolled out. */
export const releaseStates = ['uploading', 'published', 'withdrawn'] as const;
export type ReleaseState = (typeof releaseStates)[number];

/** A file of a release: a bundle, or the list of a bundle's block digests. */
export const releaseArtifactSchema = z.object({
	sha256: sha256Schema,
	sizeBytes: z.int().min(1),
	/** How much of it is here; `sizeBytes` = all, and its digest was found right. */
	storedBytes: z.int().min(0),
});
export type ReleaseArtifact = z.infer<typeof releaseArtifactSchema>;

export const releaseSchema = z.object({
	release: releaseVersionSchema,
	state: z.enum(releaseStates),
	manifest: releaseManifestSchema,
	/** Subject of the certificate that signed the manifest. */
	signer: z.string(),
	artifacts: z.array(releaseArtifactSchema),
	/** Boxes that say that they run it. */
	boxes: z.int().min(0),
	createdBy: z.string(),
	createdMs: z.int(),
	publishedMs: z.int().nullable(),
	withdrawn: z.object({by: z.string(), atMs: z.int(), reason: z.string()}).nullable(),
});
export type Release = z.infer<typeof releaseSchema>;

/** GET /releases (viewer): the newest first. */
export const releaseQuerySchema = pageQuerySchema.extend({state: z.enum(releaseStates).optional()});
export const releasePageSchema = pageOf(releaseSchema);

/** GET /releases/{release} (viewer). */
export const releaseParametersSchema = z.strictObject({release: releaseVersionSchema});

/**
 * POST /releases (operator): makes a signed manifest known; answered with what is still to be uploaded. The same again
 * is no mistake; another manifest for a release that is known is refused.
 */
export const releaseCreateSchema = z.strictObject({
	/** The manifest's bytes, as they were signed. */
	manifest: z.base64().max(manifestBytesMax * 2),
	/** DER of the detached CMS signature. */
	signature: z.base64().max(signatureBytesMax * 2),
});

// POST /releases/{release}/publish (operator): all its bytes are here; from now on it can be rolled out.

/** POST /releases/{release}/withdraw (operator): rollouts of it pause, and no new one can be made. */
export const releaseWithdrawSchema = z.strictObject({reason: z.string().min(1).max(1024)});

/** GET /release-artifacts/{sha256} (operator): how much is here, to go on from there. */
export const artifactParametersSchema = z.strictObject({sha256: sha256Schema});

/** PUT /release-artifacts/{sha256}?offsetBytes= (operator): bytes (application/octet-stream) from there on. */
export const artifactUploadQuerySchema = z.strictObject({offsetBytes: z.coerce.number().int().min(0).default(0)});
