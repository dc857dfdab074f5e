import {z} from 'zod';
import {boxKindSchema, deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {claimSchema} from '#appliance/identity/claim-schema.ts';
import {siteIdSchema, tagSchema} from '#ota/contract/box-api.ts';
import {pageOf, pageQuerySchema} from '#ota/contract/page-api.ts';

/** So many claims are made by one request. */
export const claimCountMax = 1000;
export const claimLifeDaysMax = 365;
export const claimTagsMax = 32;

/** `used`: a box enrolled with it. `expired`: nobody did in time. */
export const claimStates = ['open', 'used', 'expired'] as const;
export type ClaimState = (typeof claimStates)[number];

export const claimSummarySchema = z.object({
	id: z.string().max(64),
	/** The only box that may use it; null = the first box that comes, by the name in its request. */
	deviceId: deviceIdSchema.nullable(),
	kind: boxKindSchema,
	site: siteIdSchema.nullable(),
	tags: z.array(tagSchema),
	/** It is for a box that exists: the new key takes the place of the old one, which is revoked. */
	replaces: z.boolean(),
	state: z.enum(claimStates),
	createdMs: z.int(),
	/** Name of the account that made it. */
	createdBy: z.string(),
	expiresMs: z.int(),
	usedMs: z.int().nullable(),
	usedBy: deviceIdSchema.nullable(),
});
export type ClaimSummary = z.infer<typeof claimSummarySchema>;

/** GET /claims (operator), newest first. */
export const claimQuerySchema = pageQuerySchema.extend({state: z.enum(claimStates).optional()});
export const claimPageSchema = pageOf(claimSummarySchema);

/**
 * POST /claims (operator): for boxes with names (`deviceIds`), or `count` of them for whichever boxes come. A name that
 * is enrolled already is refused (409, `OTA_BOX_ENROLLED`): a swapped box is claimed by POST /boxes/{id}/claim.
 */
export const claimRequestSchema = z
	.strictObject({
		deviceIds: z.array(deviceIdSchema).min(1).max(claimCountMax).optional(),
		count: z.int().min(1).max(claimCountMax).optional(),
		kind: boxKindSchema,
		site: siteIdSchema.optional(),
		tags: z.array(tagSchema).max(claimTagsMax).default([]),
		lifeDays: z.int().min(1).max(claimLifeDaysMax).default(30),
	})
	.refine(({deviceIds, count}) => deviceIds === undefined || count === undefined || deviceIds.length === count, {
		message: 'give deviceIds or count, not two numbers of claims',
		path: ['count'],
	})
	.refine(({deviceIds}) => new Set(deviceIds).size === (deviceIds?.length ?? 0), {
		message: 'names a box twice',
		path: ['deviceIds'],
	});
export type ClaimRequest = z.infer<typeof claimRequestSchema>;

/** POST /boxes/{id}/claim (operator): a swapped box. Kind, site and tags stay as they are. */
export const reclaimRequestSchema = z.strictObject({lifeDays: z.int().min(1).max(claimLifeDaysMax).default(30)});

/**
 * One made claim. `file` is what the box wants as its claim file (the page offers it as `<id>.claim.json`); its token is
 * told this once and is kept by the fleet only as a hash.
 */
export const createdClaimSchema = z.object({claim: claimSummarySchema, file: claimSchema});
export const createdClaimsSchema = z.object({items: z.array(createdClaimSchema)});
export type CreatedClaim = z.infer<typeof createdClaimSchema>;

// DELETE /claims/{claimId} (operator): an open claim is withdrawn; 404 when it is not open.
export const claimParametersSchema = z.strictObject({claimId: z.string().min(1).max(64)});

export const certificateStates = ['valid', 'superseded', 'revoked', 'expired'] as const;

/** The reasons of RFC 5280 section 5.3.1 that a person may give. */
export const revocationReasons = ['unspecified', 'keyCompromise', 'superseded', 'cessationOfOperation'] as const;
export type RevocationReason = (typeof revocationReasons)[number];

export const certificateSchema = z.object({
	/** Lower-case hexadecimal. */
	serial: z.string().regex(/^[0-9a-f]{2,40}$/u),
	box: deviceIdSchema,
	/** SHA-256 of the DER, lower-case hexadecimal. */
	fingerprint: z.string(),
	notBeforeMs: z.int(),
	notAfterMs: z.int(),
	issuedMs: z.int(),
	/** How it was come by. */
	origin: z.enum(['claim', 'renewal']),
	state: z.enum(certificateStates),
	revokedMs: z.int().nullable(),
	revokedReason: z.enum(revocationReasons).nullable(),
});
export type CertificateRow = z.infer<typeof certificateSchema>;

/** GET /boxes/{id}/certificates (viewer), newest first. */
export const certificatePageSchema = pageOf(certificateSchema);

/**
 * POST /boxes/{id}/revoke (admin): all its certificates; the box is cut off at once and comes back only by a claim.
 * POST /certificates/{serial}/revoke (admin): one.
 */
export const revokeRequestSchema = z.strictObject({reason: z.enum(revocationReasons).default('unspecified')});
export const revokeAnswerSchema = z.object({revoked: z.array(certificateSchema)});
export const certificateParametersSchema = z.strictObject({serial: z.string().regex(/^[0-9a-f]{2,40}$/u)});

/** GET /authority (viewer): whom boxes trust, and until when. */
export const authoritySchema = z.object({
	fleet: z.string(),
	/** Root first. */
	chain: z.array(z.object({subject: z.string(), notAfterMs: z.int(), fingerprint: z.string()})),
	caPem: z.string(),
	crl: z.object({number: z.int(), thisUpdateMs: z.int(), nextUpdateMs: z.int(), entries: z.int()}).nullable(),
});
