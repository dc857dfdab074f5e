import {compactVerify, decodeProtectedHeader, importJWK, type ProtectedHeaderParameters} from 'jose';
import {
	type OrderClaims,
	type OrderRefusal,
	orderBytesMax,
	orderClaimsSchema,
	signedOrderSchema,
} from '#appliance/contract/fleet/order-schema.ts';
import {errorMessage} from '#appliance/error/coded-error.ts';
import type {FilterFacts} from '#appliance/filter/filter-fields.ts';
import {matchesTarget} from '#appliance/filter/matches-target.ts';
import type {OrderTrust} from '#appliance/identity/order-trust.ts';

export const orderType = 'sv-order+jwt';
/** How far a box's clock and the fleet's may be apart before an order counts as expired or not yet made. */
export const clockSkewToleranceMs = 5 * 60_000;

export type OrderVerdict =
	| {readonly kind: 'good'; readonly claims: OrderClaims}
	| {
			readonly kind: 'refused';
			readonly code: OrderRefusal;
			readonly message: string;
			/** Of an order that is the fleet's and for this box, and only comes at the wrong time. */
			readonly claims?: OrderClaims | undefined;
	  };

export type OrderReader = {
	/** What the box knows of itself; `id` is its device id. */
	readonly facts: FilterFacts;
	readonly nowMs: number;
};

export const refuseOrder = (code: OrderRefusal, message: string): OrderVerdict => ({kind: 'refused', code, message});

/** The `kid` of an order, read before its signature was verified; undefined when it is no order. */
export const keyIdOf = (jws: string): string | undefined => {
	const header = headerOf(jws);
	return typeof header === 'string' ? undefined : header.kid;
};

/**
 * Whether an order is the fleet's, for this box, and in time. Never throws: whatever is wrong is a coded refusal. Nothing
 * of the payload is looked at before its signature was found good.
 */
export const verifyOrder = async (jws: string, trust: OrderTrust, reader: OrderReader): Promise<OrderVerdict> => {
	const signed = await verifySignature(jws, trust);
	if (signed.kind === 'refused') {
		return signed;
	}
	const {claims} = signed;
	if (claims.iss !== trust.fleet) {
		return refuseOrder('MQTT_ORDER_WRONG_FLEET', `The order is of the fleet ${claims.iss}, the box of ${trust.fleet}.`);
	}
	try {
		if (!matchesTarget(claims.target, reader.facts, reader)) {
			return refuseOrder('MQTT_ORDER_WRONG_BOX', 'The order is for other boxes.');
		}
	} catch (error) {
		return refuseOrder('MQTT_ORDER_MALFORMED', `The order's filter cannot be read: ${errorMessage(error)}`);
	}
	return checkTime(claims, reader);
};

const checkTime = (claims: OrderClaims, {nowMs}: OrderReader): OrderVerdict => {
	if (claims.iat * 1000 > nowMs + clockSkewToleranceMs) {
		const message = "The order was made in the future; the box's clock may be late.";
		return {kind: 'refused', code: 'MQTT_ORDER_NOT_YET', message, claims};
	}
	// A rotation is a fact of the past, which a box that was away must learn however late (keyChain).
	if (claims.order.kind !== 'rotate-key' && claims.exp * 1000 < nowMs - clockSkewToleranceMs) {
		const message = `The order expired at ${claims.exp} (Unix seconds).`;
		return {kind: 'refused', code: 'MQTT_ORDER_EXPIRED', message, claims};
	}
	return {kind: 'good', claims};
};

const verifySignature = async (jws: string, trust: OrderTrust): Promise<OrderVerdict> => {
	const header = headerOf(jws);
	if (typeof header === 'string') {
		return refuseOrder('MQTT_ORDER_MALFORMED', header);
	}
	if (header.kid !== trust.kid) {
		return refuseOrder('MQTT_ORDER_SIGNATURE', 'The order is not signed with the key that this box trusts.');
	}
	let payload: Uint8Array;
	try {
		const key = await importJWK(trust.key, 'ES256');
		({payload} = await compactVerify(jws, key, {algorithms: ['ES256']}));
	} catch {
		// The library's error says no more than this, and may quote what a stranger sent.
		return refuseOrder('MQTT_ORDER_SIGNATURE', "The order's signature is not good.");
	}
	return parseClaims(payload);
};

const parseClaims = (payload: Uint8Array): OrderVerdict => {
	let json: unknown;
	try {
		json = JSON.parse(new TextDecoder('utf8', {fatal: true}).decode(payload));
	} catch {
		return refuseOrder('MQTT_ORDER_MALFORMED', "The order's payload is not JSON.");
	}
	const parsed = orderClaimsSchema.safeParse(json);
	if (!parsed.success) {
		const [issue] = parsed.error.issues;
		return refuseOrder(
			'MQTT_ORDER_MALFORMED',
			`The order says what this box does not know: ${issue?.path.join('.')}: ${issue?.message}`,
		);
	}
	return {kind: 'good', claims: parsed.data};
};

/** The header, or what is wrong with it. */
const headerOf = (jws: string): ProtectedHeaderParameters | string => {
	if (jws.length > orderBytesMax || !signedOrderSchema.safeParse(jws).success) {
		return `An order is a compact JWS of at most ${orderBytesMax} bytes.`;
	}
	let header: ProtectedHeaderParameters;
	try {
		header = decodeProtectedHeader(jws);
	} catch {
		return "The order's header cannot be read.";
	}
	if (header.alg !== 'ES256' || header.typ !== orderType || typeof header.kid !== 'string' || 'crit' in header) {
		return `The order's header must say ES256, ${orderType} and a kid, and no crit.`;
	}
	return header;
};
