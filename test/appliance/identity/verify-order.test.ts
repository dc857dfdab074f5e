import test from 'ava';
import fc from 'fast-check';
import {CompactSign, generateKeyPair} from 'jose';
import {orderBytesMax, orderRefusals} from '#appliance/contract/fleet/order-schema.ts';
import {keyThumbprint, trustOfClaim} from '#appliance/identity/order-trust.ts';
import {clockSkewToleranceMs, orderType, verifyOrder} from '#appliance/identity/verify-order.ts';
import {createOrderSigner} from '#test/helper/order-signer.ts';

const signer = await createOrderSigner({fleet: 'fleet', box: 'stb-1'});
const trust = trustOfClaim({fleet: 'fleet', orderKey: signer.key});
const order = {kind: 'desired', config: {}};

const verdictOf = async (jws: string, {nowMs = Date.now(), id = 'stb-1'} = {}): Promise<string> => {
	const verdict = await verifyOrder(jws, trust, {facts: {id}, nowMs});
	return verdict.kind === 'good' ? 'good' : verdict.code;
};

test('a thumbprint is as RFC 7638 makes it', (t) => {
	// Made by `jose`, another implementation, for the key of RFC 7515 appendix A.3.1.
	const key = {
		kty: 'EC',
		crv: 'P-256',
		x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
		y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
	} as const;
	t.is(keyThumbprint(key), 'oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U');
});

test('an order is good within its time and the skew of clocks', async (t) => {
	const nowMs = 1_700_000_000_000;
	const jws = await signer.sign(order, {iat: nowMs / 1000, exp: nowMs / 1000 + 60});
	t.is(await verdictOf(jws, {nowMs}), 'good');
	t.is(await verdictOf(jws, {nowMs: nowMs - clockSkewToleranceMs}), 'good');
	t.is(await verdictOf(jws, {nowMs: nowMs - clockSkewToleranceMs - 1}), 'MQTT_ORDER_NOT_YET');
	t.is(await verdictOf(jws, {nowMs: nowMs + 60_000 + clockSkewToleranceMs}), 'good');
	t.is(await verdictOf(jws, {nowMs: nowMs + 60_000 + clockSkewToleranceMs + 1}), 'MQTT_ORDER_EXPIRED');
});

test('each way of being wrong has its code', async (t) => {
	const other = await createOrderSigner({fleet: 'fleet', box: 'stb-1'});
	const good = await signer.sign(order);
	const [header = '', payload = '', signature = ''] = good.split('.');
	const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
	const cases: readonly (readonly [string, string])[] = [
		['MQTT_ORDER_SIGNATURE', await other.sign(order)],
		['MQTT_ORDER_SIGNATURE', await other.sign(order, {header: {kid: signer.kid}})],
		['MQTT_ORDER_SIGNATURE', `${header}.${payload}.${signature.slice(0, -4)}AAAA`],
		['MQTT_ORDER_SIGNATURE', `${header}.${encode({iss: 'fleet'})}.${signature}`],
		['MQTT_ORDER_SIGNATURE', `${header}.${payload}.AA`],
		['MQTT_ORDER_WRONG_FLEET', await signer.sign(order, {iss: 'other'})],
		['MQTT_ORDER_WRONG_BOX', await signer.sign(order, {target: {kind: 'box', deviceId: 'stb-2' as never}})],
		['MQTT_ORDER_MALFORMED', await signer.sign(order, {target: {kind: 'everyone'}})],
		['MQTT_ORDER_MALFORMED', await signer.sign({kind: 'explode'})],
		['MQTT_ORDER_MALFORMED', await signer.sign(order, {revision: 0})],
		['MQTT_ORDER_MALFORMED', await signer.sign(order, {payload: '{"iss":'})],
		['MQTT_ORDER_MALFORMED', await signer.sign(order, {header: {typ: 'JWT'}})],
		['MQTT_ORDER_MALFORMED', `${encode({alg: 'none', typ: orderType, kid: signer.kid})}.${payload}.`],
		['MQTT_ORDER_MALFORMED', `${encode({alg: 'none', typ: orderType, kid: signer.kid})}.${payload}.AA`],
		['MQTT_ORDER_MALFORMED', `${encode({alg: 'HS256', typ: orderType, kid: signer.kid})}.${payload}.${signature}`],
		[
			'MQTT_ORDER_MALFORMED',
			`${encode({alg: 'ES256', typ: orderType, kid: signer.kid, crit: ['b64'], b64: false})}.${payload}.${signature}`,
		],
		['MQTT_ORDER_MALFORMED', `${good}.${signature}`],
		['MQTT_ORDER_MALFORMED', 'a'.repeat(orderBytesMax + 1)],
		['MQTT_ORDER_MALFORMED', ''],
	];
	for (const [index, [code, jws]] of cases.entries()) {
		t.is(await verdictOf(jws), code, `case ${index}`);
	}
});

test('an order signed by another algorithm is none', async (t) => {
	const {privateKey} = await generateKeyPair('ES384');
	const jws = await new CompactSign(Buffer.from('{}'))
		.setProtectedHeader({alg: 'ES384', typ: orderType, kid: signer.kid})
		.sign(privateKey);
	t.is(await verdictOf(jws), 'MQTT_ORDER_MALFORMED');
});

test('any text, and any change of a good order, is a coded refusal', async (t) => {
	const good = await signer.sign(order);
	const changed = fc
		// Not the last character, whose last bits are no part of the signature.
		.tuple(fc.nat(good.length - 2), fc.string({unit: 'binary', minLength: 1, maxLength: 3}))
		.map(([index, text]) => good.slice(0, index) + text + good.slice(index + 1))
		.filter((text) => text !== good);
	await fc.assert(
		fc.asyncProperty(fc.oneof(fc.string({unit: 'binary'}), changed), async (jws) => {
			const verdict = await verdictOf(jws);
			t.true((orderRefusals as readonly string[]).includes(verdict), `${verdict} for ${JSON.stringify(jws)}`);
		}),
		{numRuns: 400},
	);
});
