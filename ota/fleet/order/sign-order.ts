import {randomUUID} from 'node:crypto';
import {CompactSign} from 'jose';
import {
	type OrderBody,
	type OrderTarget,
	orderClaimsSchema,
	type SignedOrder,
	signedOrderSchema,
} from '#appliance/contract/fleet/order-schema.ts';
import {orderType} from '#appliance/identity/verify-order.ts';
import type {SigningKey} from '#ota/fleet/order/order-keys.ts';

const encoder = new TextEncoder();

/** A compact JWS over the claims. They are checked against the box's own schema first: it would refuse them unread. */
export const signOrder = async (options: {
	readonly key: SigningKey;
	readonly fleet: string;
	readonly id?: string;
	readonly revision: number;
	readonly nowMs: number;
	readonly expiresMs: number;
	readonly target: OrderTarget;
	readonly order: OrderBody;
}): Promise<SignedOrder> => {
	const claims = orderClaimsSchema.parse({
		iss: options.fleet,
		jti: options.id ?? randomUUID(),
		iat: Math.floor(options.nowMs / 1000),
		exp: Math.ceil(options.expiresMs / 1000),
		revision: options.revision,
		target: options.target,
		order: options.order,
	});
	const jws = await new CompactSign(encoder.encode(JSON.stringify(claims)))
		.setProtectedHeader({alg: 'ES256', typ: orderType, kid: options.key.kid})
		.sign(options.key.sign);
	return signedOrderSchema.parse(jws);
};
