import test from 'ava';
import type {DesiredState} from '#appliance/mqtt/fleet-link.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {eventually} from '#test/helper/eventually.ts';
import {createOrderSigner} from '#test/helper/order-signer.ts';
import {type TestFleetServer, testBox, testFacts, testFleet, withFleetLink} from '#test/helper/with-fleet-link.ts';

const desire = (text: string) => ({kind: 'desired', config: {text}});

const update = {
	...{orderId: 'r-1', release: '2.5.0', kind: 'stb', manifest: '{}', signature: 'AA==', byteBudgetBytes: 1},
	...{sources: [{kind: 'https', url: 'https://a.example/'}], attemptsMax: 1, allowDowngrade: false},
	deadlines: {fetchMs: 1000, installMs: 1000, rebootMs: 1000, confirmMs: 1000},
};

const refusals = ({events}: TestFleetServer): readonly string[] =>
	events.flatMap(({event}) => (event.kind === 'order-refused' ? [event.data.code] : []));

test('a desired state is kept before it is told, told again to whoever asks later, and reported as kept', async (t) => {
	const {startServer, startLink, signer} = await withFleetLink(t);
	const server = await startServer();
	await server.desire(await signer.sign({...desire('a'), update}, {revision: 5000}));
	const link = await startLink();
	link.report(testFacts);
	const told: DesiredState[] = [];
	const stop = link.onDesired((desired) => told.push(desired));
	await eventually('told', () => told.length === 1);
	t.like(told[0], {revision: 5000, config: {text: 'a'}, update: {orderId: 'r-1'}});
	await eventually('reported', () => server.heard.some(({payload}) => payload.includes('"desiredRevision":5000')));
	stop();
	await server.desire(await signer.sign(desire('b'), {revision: 5001}));
	await eventually('the next', () => link.desired()?.revision === 5001);
	t.is(told.length, 1);
	t.is(link.desired()?.update, undefined, 'what is absent is not wanted');
	t.true((link.desired()?.expiresMs ?? 0) > 0, 'and it has an end');
	await link[Symbol.asyncDispose]();

	const again = await startLink();
	let atOnce = 0;
	again.onDesired(({revision}) => {
		atOnce = revision;
	});
	t.is(atOnce, 5001, 'without a connection');
	await eventually('connected', () => again.isConnected());
	await sleep(200);
	t.deepEqual(refusals(server), [], 'the retained one is no replay');
});

test('orders that are replayed, expired, for others, of others or no orders are refused and change nothing', async (t) => {
	const {startServer, startLink, signer} = await withFleetLink(t);
	const server = await startServer();
	const link = await startLink();
	await eventually('connected', () => link.isConnected());
	const old = await signer.sign(desire('old'), {revision: 5000});
	await server.desire(await signer.sign(desire('kept'), {revision: 5001}));
	await eventually('kept', () => link.desired()?.revision === 5001);
	const stranger = await createOrderSigner({fleet: testFleet, box: testBox});
	const nowSeconds = Math.floor(Date.now() / 1000);
	await server.desire(old);
	await server.desire(await signer.sign(desire('x'), {revision: 6000, exp: nowSeconds - 1000}));
	await server.desire(
		await signer.sign(desire('x'), {revision: 6000, target: {kind: 'box', deviceId: 'stb-2' as never}}),
	);
	await server.desire(await signer.sign(desire('x'), {revision: 6000, iss: 'other-fleet'}));
	await server.desire(await stranger.sign(desire('x'), {revision: 6000}));
	await server.desire(await signer.sign({kind: 'rotate-key', kid: 'k', key: stranger.key}, {revision: 6000}));
	await server.publish('desired', '{"version":1}');
	await eventually('all told', () => refusals(server).length === 7);
	t.deepEqual(refusals(server), [
		'MQTT_ORDER_REPLAYED',
		'MQTT_ORDER_EXPIRED',
		'MQTT_ORDER_WRONG_BOX',
		'MQTT_ORDER_WRONG_FLEET',
		'MQTT_ORDER_SIGNATURE',
		'MQTT_ORDER_MALFORMED',
		'MQTT_ORDER_MALFORMED',
	]);
	t.like(link.desired(), {revision: 5001, config: {text: 'kept'}});
});

test('a box that missed three rotations walks them, and no longer takes orders of the keys before', async (t) => {
	const {startServer, startLink, signer} = await withFleetLink(t);
	const server = await startServer();
	const keys = [signer];
	const keyChain = [];
	for (let index = 0; index < 3; index += 1) {
		const next = await createOrderSigner({fleet: testFleet, box: testBox});
		// Of years ago, and expired since.
		keyChain.push(await (keys.at(-1) ?? signer).rotateTo(next, {iat: 1_700_000_000, exp: 1_700_000_001}));
		keys.push(next);
	}
	const newest = keys.at(-1) ?? signer;
	const link = await startLink();
	await server.desire(await newest.sign(desire('new'), {revision: 7000}), keyChain);
	await eventually('kept', () => link.desired()?.revision === 7000);
	await server.desire(await signer.sign(desire('old key'), {revision: 8000}), keyChain);
	await eventually('refused', () => refusals(server).includes('MQTT_ORDER_SIGNATURE'));
	await link[Symbol.asyncDispose]();
	const again = await startLink();
	await server.desire(await newest.sign(desire('newer'), {revision: 8001}));
	await eventually('kept across a restart, without the chain', () => again.desired()?.revision === 8001);
	t.deepEqual(again.desired()?.config, {text: 'newer'});
});

test('a chain with a rotation that was not signed by the key before it is not walked', async (t) => {
	const {startServer, startLink, signer} = await withFleetLink(t);
	const server = await startServer();
	const thief = await createOrderSigner({fleet: testFleet, box: testBox});
	const forged = await thief.rotateTo(thief, {header: {kid: signer.kid}});
	const link = await startLink();
	await server.desire(await thief.sign(desire('stolen'), {revision: 7000}), [forged]);
	await eventually('refused', () => refusals(server).length === 2);
	t.deepEqual(refusals(server), ['MQTT_ORDER_SIGNATURE', 'MQTT_ORDER_SIGNATURE']);
	t.is(link.desired(), undefined);
});

test('of the carousel’s orders the newest for this box is kept, without any connection', async (t) => {
	const {startLink, signer, broker} = await withFleetLink(t);
	await broker.kill();
	const link = await startLink();
	const told: string[] = [];
	link.onCarouselUpdate(({revision, update: wanted}) => told.push(`${revision} ${wanted.orderId}`));
	const next = await createOrderSigner({fleet: testFleet, box: testBox});
	const share = {kind: 'share', filter: 'kind = stb', salt: 's', from: 0, to: 1} as const;
	const order = {kind: 'update', update};
	const orders = {
		keyChain: [await signer.rotateTo(next)],
		orders: [
			await next.sign(order, {target: share, revision: 7000}),
			await next.sign({...order, update: {...update, orderId: 'r-2'}}, {target: share, revision: 7001}),
			await next.sign(order, {target: {...share, filter: 'kind = headend'}, revision: 7002}),
			await next.sign(order, {target: {...share, from: 0.999_999}, revision: 7003}),
			await next.sign(order, {target: {...share, filter: 'kind ='}, revision: 7004}),
			await next.sign(desire('not here'), {target: share, revision: 7005}),
		],
	};
	await link.takeCarouselOrders(orders);
	await link.takeCarouselOrders(orders);
	t.deepEqual(told, ['7000 r-1', '7001 r-2']);
	await link[Symbol.asyncDispose]();
	const again = await startLink();
	again.onCarouselUpdate(({revision, expiresMs}) => {
		told.push(`again ${revision}`);
		t.true(expiresMs > Date.now());
	});
	t.is(told.at(-1), 'again 7001');
});
