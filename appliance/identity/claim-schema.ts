import {z} from 'zod';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';

/** A claim file of more bytes than this is refused unread. */
export const claimBytesMax = 64 * 1024;
/** A one-time token: what EST's simpleenroll carries as `Authorization: Bearer`. */
export const claimTokenSchema = z
	.string()
	.regex(/^[\w.~-]{16,512}$/u, 'must be 16 to 512 of A-Z, a-z, 0-9, -, ., _ and ~');

const pemSchema = z
	.string()
	.max(32 * 1024)
	.regex(/-----BEGIN CERTIFICATE-----/u, 'must hold certificates in PEM');

/** The public half of an order key (RFC 7517): P-256 and nothing else. */
export const orderKeySchema = z.strictObject({
	kty: z.literal('EC'),
	crv: z.literal('P-256'),
	x: z.base64url().max(64),
	y: z.base64url().max(64),
});
export type OrderKey = z.infer<typeof orderKeySchema>;

/**
 * What a box must be given to join a fleet: where it is, whom to trust, and once a token. Written by the fleet, brought
 * by the flash tool, a USB stick or the local page.
 */
export const claimSchema = z.strictObject({
	version: z.literal(1),
	/** The `iss` of every order. */
	fleet: z.string().min(1).max(128),
	/** Base of EST, such as `https://fleet.example:8443/.well-known/est`. */
	estUrl: z.url({protocol: /^https$/u}).max(1024),
	brokerUrl: z.url({protocol: /^mqtts$/u}).max(1024),
	/** Base of the device listener: artefacts and uploads. */
	deviceUrl: z.url({protocol: /^https$/u}).max(1024),
	/** Removed from the box's copy once it was used. */
	token: claimTokenSchema.optional(),
	/** When the token is for one box only. */
	deviceId: deviceIdSchema.optional(),
	/** The chain that servers of the fleet are verified by: HTTPS, EST and the broker. */
	caPem: pemSchema,
	orderKey: orderKeySchema,
	/** The certificates that a release's signer must chain to. */
	releaseCaPem: pemSchema,
});
export type Claim = z.infer<typeof claimSchema>;
