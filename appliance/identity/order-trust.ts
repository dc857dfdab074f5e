import {createHash} from 'node:crypto';
import type {OrderKey} from '#appliance/identity/claim-schema.ts';

/** Whose orders a box obeys at the moment. */
export type OrderTrust = {
	/** The `iss` of every order. */
	readonly fleet: string;
	/** RFC 7638 thumbprint of `key`. */
	readonly kid: string;
	readonly key: OrderKey;
	/** Revision of the rotation that brought this key; 0 for the key of the claim. */
	readonly rotation: number;
};

/** RFC 7638 section 3: SHA-256 over the required members in lexicographic order, in base64url. */
export const keyThumbprint = ({crv, kty, x, y}: OrderKey): string =>
	createHash('sha256').update(JSON.stringify({crv, kty, x, y})).digest('base64url');

/** Trust as a box has it before any rotation. */
export const trustOfClaim = ({fleet, orderKey}: {readonly fleet: string; readonly orderKey: OrderKey}): OrderTrust => ({
	fleet,
	kid: keyThumbprint(orderKey),
	key: orderKey,
	rotation: 0,
});
