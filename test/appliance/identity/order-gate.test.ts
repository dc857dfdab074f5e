import test from 'ava';
import {keyChainMax} from '#appliance/contract/fleet/desired-schema.ts';
import {createOrderGate, type OrderGate} from '#appliance/identity/order-gate.ts';
import {keyThumbprint, trustOfClaim} from '#appliance/identity/order-trust.ts';
import {createTrustRepository, type TrustRepository, trustTables} from '#appliance/identity/trust-repository.ts';
import {openDatabase} from '#appliance/store/open-database.ts';
import {systemClock} from '#appliance/time/clock.ts';
import {createOrderSigner, type OrderSigner} from '#test/helper/order-signer.ts';

const box = 'stb-0001';
const order = {kind: 'desired', config: {}};
const newSigner = (fleet = 'fleet'): Promise<OrderSigner> => createOrderSigner({fleet, box});

const gateOf = (signer: OrderSigner): {readonly gate: OrderGate; readonly repository: TrustRepository} => {
	const repository = createTrustRepository(openDatabase({path: ':memory:', migrations: [trustTables]}));
	repository.begin(trustOfClaim({fleet: 'fleet', orderKey: signer.key}));
	return {repository, gate: createOrderGate({repository, facts: () => ({id: box}), clock: systemClock})};
};

const codeOf = async (gate: OrderGate, jws: string): Promise<string> => {
	const verdict = await gate.verify(jws);
	return verdict.kind === 'good' ? 'good' : verdict.code;
};

const chainOf = async (first: OrderSigner, length: number) => {
	const signers = [first];
	const chain: string[] = [];
	for (let index = 0; index < length; index += 1) {
		const next = await newSigner();
		chain.push(await (signers.at(-1) ?? first).rotateTo(next));
		signers.push(next);
	}
	return {signers, chain};
};

test('a chain is walked from wherever the box stands, in whatever order it is written, and only once', async (t) => {
	const first = await newSigner();
	const {signers, chain} = await chainOf(first, 5);
	const {gate, repository} = gateOf(first);
	t.is(await gate.walk(chain.slice(0, 2)), undefined);
	t.is(repository.trust().kid, signers[2]?.kid ?? '');
	t.is(await gate.walk([...chain].reverse()), undefined);
	t.is(repository.trust().kid, signers[5]?.kid ?? '');
	t.is(await gate.walk(chain), undefined);
	t.is(repository.trust().kid, signers[5]?.kid ?? '');
	t.is(await codeOf(gate, (await signers[5]?.sign(order)) ?? ''), 'good');
	t.is(await codeOf(gate, (await signers[4]?.sign(order)) ?? ''), 'MQTT_ORDER_SIGNATURE');
});

test('a hole in the chain stops the walk there', async (t) => {
	const first = await newSigner();
	const {signers, chain} = await chainOf(first, 3);
	const {gate, repository} = gateOf(first);
	t.is(await gate.walk([chain[0] ?? '', chain[2] ?? '']), undefined);
	t.is(repository.trust().kid, signers[1]?.kid ?? '');
});

test('a chain that goes in a circle, is too long, names a wrong key or is no chain ends, and is refused', async (t) => {
	const [a, b] = [await newSigner(), await newSigner()];
	const {gate, repository} = gateOf(a);
	const there = await a.rotateTo(b, {revision: 10});
	const back = await b.rotateTo(a, {revision: 9});
	t.like(await gate.walk([there, back]), {code: 'MQTT_ORDER_REPLAYED'});
	t.is(repository.trust().kid, b.kid);

	const wrong = await b.sign({kind: 'rotate-key', kid: a.kid, key: b.key}, {revision: 11});
	t.like(await gate.walk([wrong]), {code: 'MQTT_ORDER_MALFORMED'});
	t.like(await gate.walk([await b.sign(order)]), {code: 'MQTT_ORDER_MALFORMED'});
	t.is(await gate.walk(Array.from({length: 1000}, () => 'rubbish')), undefined);
	t.is(await gate.walk([...Array.from({length: keyChainMax}, (_, index) => `a.b.${index}`), wrong]), undefined);
	t.is(repository.trust().kid, b.kid);
});

test('revisions only grow, each kind by itself, and a verdict keeps nothing', async (t) => {
	const signer = await newSigner();
	const {gate} = gateOf(signer);
	const [first, second] = [await signer.sign(order, {revision: 10}), await signer.sign(order, {revision: 11})];
	const command = {kind: 'command', name: 'ping', arguments: {}, deadlineMs: 1};
	t.is(await codeOf(gate, second), 'good');
	t.is(await codeOf(gate, second), 'good');
	const verdict = await gate.verify(second);
	t.true(verdict.kind === 'good' && gate.keep(verdict.claims));
	t.false(verdict.kind === 'good' && gate.keep(verdict.claims), 'another was quicker');
	t.is(await codeOf(gate, second), 'MQTT_ORDER_REPLAYED');
	t.is(await codeOf(gate, first), 'MQTT_ORDER_REPLAYED');
	t.is(await codeOf(gate, await signer.sign(command, {revision: 5})), 'good');
});

test('a claim by another fleet begins anew, and the same claim goes on', async (t) => {
	const [mine, other] = [await newSigner(), await newSigner('other')];
	const {gate, repository} = gateOf(mine);
	const next = await newSigner();
	await gate.walk([await mine.rotateTo(next)]);
	repository.keepRevision('desired', 100);
	t.false(repository.begin(trustOfClaim({fleet: 'fleet', orderKey: mine.key})));
	t.is(repository.trust().kid, next.kid, 'the rotation is kept');
	t.true(repository.begin(trustOfClaim({fleet: 'other', orderKey: other.key})));
	t.is(repository.lastRevision('desired'), 0);
	t.is(await codeOf(gate, await other.sign(order, {revision: 1})), 'good');
	t.is(await codeOf(gate, await next.sign(order)), 'MQTT_ORDER_SIGNATURE');
});

test('a rotation to what is no usable key is refused, and the box goes on obeying', async (t) => {
	const signer = await newSigner();
	const {gate, repository} = gateOf(signer);
	const point = Buffer.alloc(32, 1).toString('base64url');
	for (const x of [point, 'A'.repeat(100), 'AAAA']) {
		const key = {...signer.key, x};
		const bad = await signer.sign({kind: 'rotate-key', kid: keyThumbprint(key), key});
		t.like(await gate.walk([bad]), {code: 'MQTT_ORDER_MALFORMED'}, x);
		t.is(repository.trust().kid, signer.kid);
	}
	t.is(await codeOf(gate, await signer.sign(order)), 'good');
});
