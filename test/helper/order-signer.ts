import {randomUUID} from 'node:crypto';
import {CompactSign, exportJWK, generateKeyPair} from 'jose';
import type {OrderBody, OrderTarget, SignedOrder} from '#appliance/contract/fleet/order-schema.ts';
import {type OrderKey, orderKeySchema} from '#appliance/identity/claim-schema.ts';
import {keyThumbprint} from '#appliance/identity/order-trust.ts';
import {orderType} from '#appliance/identity/verify-order.ts';

export type OrderChanges = {
	readonly iss?: string;
	readonly jti?: string;
	readonly iat?: number;
	readonly exp?: number;
	readonly revision?: number;
	readonly target?: OrderTarget | {readonly kind: string};
	readonly header?: Readonly<Record<string, unknown>>;
	/** Instead of the claims. */
	readonly payload?: string;
};

export type OrderSigner = {
	readonly key: OrderKey;
	readonly kid: string;
	readonly sign: (order: OrderBody | Readonly<Record<string, unknown>>, changes?: OrderChanges) => Promise<SignedOrder>;
	/** The order by which this key hands over to the next. */
	readonly rotateTo: (next: OrderSigner, changes?: OrderChanges) => Promise<SignedOrder>;
};

let revision = 1000;

/** Signs orders as a fleet does, and as one that is wrong in whatever way a test wants. */
export const createOrderSigner = async (options: {
	readonly fleet: string;
	readonly box: string;
}): Promise<OrderSigner> => {
	const {privateKey, publicKey} = await generateKeyPair('ES256', {extractable: true});
	const {kty, crv, x, y} = await exportJWK(publicKey);
	const key = orderKeySchema.parse({kty, crv, x, y});
	const kid = keyThumbprint(key);
	const sign: OrderSigner['sign'] = async (order, changes = {}) => {
		revision += 1;
		const nowSeconds = Math.floor(Date.now() / 1000);
		const {header, payload, ...claims} = changes;
		const text = JSON.stringify({
			iss: options.fleet,
			jti: randomUUID(),
			iat: nowSeconds,
			exp: nowSeconds + 3600,
			revision,
			target: {kind: 'box', deviceId: options.box},
			order,
			...claims,
		});
		return (await new CompactSign(Buffer.from(payload ?? text))
			.setProtectedHeader({alg: 'ES256', typ: orderType, kid, ...header})
			.sign(privateKey)) as SignedOrder;
	};
	const everyBox = {kind: 'share', filter: '', salt: 'all', from: 0, to: 1} as const;
	return {
		key,
		kid,
		sign,
		rotateTo: (next, changes) =>
			sign({kind: 'rotate-key', kid: next.kid, key: next.key}, {target: everyBox, ...changes}),
	};
};
