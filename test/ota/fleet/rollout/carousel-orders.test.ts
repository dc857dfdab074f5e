import test from 'ava';
import {compactVerify, decodeProtectedHeader, importJWK} from 'jose';
import {carouselOrdersSchema} from '#appliance/contract/fleet/carousel-orders-schema.ts';
import {orderClaimsSchema} from '#appliance/contract/fleet/order-schema.ts';
import {matchesTarget} from '#appliance/filter/matches-target.ts';
import type {RolloutCreate} from '#ota/contract/rollout-api.ts';
import {RolloutEngine} from '#ota/fleet/rollout/rollout-engine.ts';
import {freePort} from '#test/helper/free-port.ts';
import {databaseEngines} from '#test/helper/with-fleet-database.ts';
import {withHeadend} from '#test/helper/with-headend.ts';
import {maker, withRollouts} from '#test/helper/with-rollouts.ts';

const halves: RolloutCreate['groups'] = [
	{name: 'first half', size: {kind: 'share', from: 0, to: 0.5}, soakMs: 86_400_000},
	{name: 'second half', size: {kind: 'share', from: 0.5, to: 1}},
];
const sources = {carouselWaitMs: 3_600_000, blocks: false, https: true};
const act = {actor: maker, ifMatch: undefined, reason: ''};

for (const databaseEngine of databaseEngines) {
	test(`one-way boxes get the orders of their wave from the headend's catalogue, on ${databaseEngine}`, async (t) => {
		const headend = await withHeadend(t);
		const rollouts = await withRollouts(t, {databaseEngine, boxCount: 0, headendUrls: [headend.url]});
		const {run, turn, context, service, engineContext} = rollouts;
		const readOrders = async () => {
			const answer = await fetch(`${headend.url}/catalogue/release/orders.json`);
			t.is(answer.status, 200);
			return carouselOrdersSchema.parse(await answer.json());
		};
		const rollout = await run({groups: halves, sources, filter: 'site = ship'});
		const {orders, keyChain} = await readOrders();
		t.is(orders.length, 1, 'the second wave is not told yet');
		t.deepEqual(keyChain, []);
		const [order = ''] = orders;
		t.is(decodeProtectedHeader(order).typ, 'sv-order+jwt');
		const key = await importJWK(await engineContext.desk.publicKey(), 'ES256');
		const {payload} = await compactVerify(order, key);
		const claims = orderClaimsSchema.parse(JSON.parse(new TextDecoder().decode(payload)));
		const body = claims.order;
		t.true(body.kind === 'update' && body.update.sources[0]?.kind === 'carousel');
		t.is(body.kind === 'update' ? body.update.orderId : '', `${rollout.id}.1`);
		const matching = Array.from({length: 400}, (_, index) => `ship-${index}`).filter((id) =>
			matchesTarget(claims.target, {id, kind: 'stb', site: 'ship'}, {nowMs: 0}),
		);
		t.true(matching.length > 150 && matching.length < 250, String(matching.length));
		t.false(matchesTarget(claims.target, {id: matching[0] ?? '', kind: 'stb', site: 'shore'}, {nowMs: 0}));
		context.advance(86_400_000);
		await turn();
		t.is((await readOrders()).orders.length, 2, 'the second wave is told when the first has soaked');
		await turn();
		t.is((await service.get(rollout.id)).state, 'finished');
		t.is((await readOrders()).orders.length, 2, 'boxes that come back from sea still find it');
		const next = await run({groups: halves, sources});
		t.is((await readOrders()).orders.length, 3);
		await service.pause({...act, id: next.id});
		await turn();
		t.is((await readOrders()).orders.length, 2, 'a rollout that pauses vanishes');
		await service.abort({...act, id: next.id});
		context.advance(31 * 86_400_000);
		await turn();
		t.is((await readOrders()).orders.length, 0, 'what is old is no longer told');
	});
}

test('a headend that is away gets the orders when it is back, and holds nothing up', async (t) => {
	const port = await freePort();
	const headendUrls = [`http://127.0.0.1:${port}`];
	const {run, context, engineContext, service} = await withRollouts(t, {boxCount: 2, headendUrls});
	const rollout = await run({groups: halves, sources});
	t.is((await service.get(rollout.id)).groups[0]?.state, 'running');
	const headend = await withHeadend(t);
	const engine = new RolloutEngine({...engineContext, headendUrls: [...headendUrls, headend.url]});
	context.advance(120_000);
	await engine.runOnce({signal: context.signal});
	const answer = await fetch(`${headend.url}/catalogue/release/orders.json`);
	t.is(carouselOrdersSchema.parse(await answer.json()).orders.length, 1);
});
