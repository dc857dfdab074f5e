import {rm} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {DeviceId} from '#appliance/contract/box-schema.ts';
import {type Desired, desiredSchema} from '#appliance/contract/fleet/desired-schema.ts';
import {orderKeySchema} from '#appliance/identity/claim-schema.ts';
import {trustOfClaim} from '#appliance/identity/order-trust.ts';
import {verifyOrder} from '#appliance/identity/verify-order.ts';
import {createOrderDesk} from '#ota/fleet/order/create-order-desk.ts';
import {openOrderKeys} from '#ota/fleet/order/order-keys.ts';
import {takeRevisions} from '#ota/fleet/order/order-revisions.ts';
import {
	desiredLifeMs,
	keptWithinMs,
	publishPortion,
	renewOrders,
	repeatRecent,
	resendAfterMsMax,
	resendUnkept,
} from '#ota/fleet/order/start-order-publisher.ts';
import type {DatabaseEngine} from '#ota/fleet/store/open-fleet-database.ts';
import {enrolBoxes} from '#test/helper/sample-box.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withFleetContext} from '#test/helper/with-fleet-context.ts';
import {databaseEngines} from '#test/helper/with-fleet-database.ts';

const box = 'box-1' as DeviceId;

const prepare = async (t: ExecutionContext, engine: DatabaseEngine = 'sqlite') => {
	const context = await withFleetContext(t, engine);
	const {database} = context.store;
	const filePath = join(await withDirectory(t), 'order-key', 'keys.json');
	const orders = {fleet: 'test', database, clock: context.clock, keys: await openOrderKeys({filePath})};
	const desk = createOrderDesk({...orders, wake: () => undefined});
	await enrolBoxes(database, ['box-1', 'box-2']);
	const sent = new Map<string, string>();
	let fail = false;
	const broker = {
		isConnected: () => true,
		publish: (topic: string, payload: string | Buffer) => {
			sent.set(topic, String(payload));
			return fail ? Promise.reject(new Error('broker away')) : Promise.resolve();
		},
		subscribe: () => Promise.reject(new Error('not here')),
		onConnected: () => () => undefined,
		[Symbol.asyncDispose]: () => Promise.resolve(),
	};
	const trust = trustOfClaim({fleet: 'test', orderKey: orderKeySchema.parse(await desk.publicKey())});
	return {
		...{context, database, desk, orders, sent, trust, filePath},
		publish: () => publishPortion({...orders, broker, logger: context.logger}),
		setConfig: (config: Record<string, unknown>) =>
			database.transaction().execute((transaction) => desk.setConfig(transaction, box, config)),
		failing: (is: boolean) => {
			fail = is;
		},
		desired: (): Desired => desiredSchema.parse(JSON.parse(sent.get('sv/1/box-1/desired') ?? '')),
		verify: (order: string) => verifyOrder(order, trust, {facts: {id: box}, nowMs: context.clock.nowMs()}),
	};
};

for (const engine of databaseEngines) {
	test(`${engine}: what is wanted is signed, sent once, and sent again when it changes`, async (t) => {
		const {setConfig, publish, desired, verify, database} = await prepare(t, engine);
		await setConfig({a: 1});
		t.is(await publish(), 1);
		t.is(await publish(), 0);
		const first = await verify(desired().order);
		t.like(first, {kind: 'good', claims: {order: {kind: 'desired', config: {a: 1}}, revision: 1}});
		await setConfig({a: 2});
		t.is(await publish(), 1);
		t.like(await verify(desired().order), {claims: {order: {config: {a: 2}}, revision: 2}});
		t.is(
			(await database.selectFrom('box').select('desired_revision').where('id', '=', box).executeTakeFirst())
				?.desired_revision,
			2,
		);
	});

	test(`${engine}: what the broker did not take stays to be sent`, async (t) => {
		const {setConfig, publish, failing, desired, verify} = await prepare(t, engine);
		await setConfig({a: 1});
		failing(true);
		t.is(await publish(), 0);
		failing(false);
		t.is(await publish(), 1);
		t.like(await verify(desired().order), {kind: 'good'});
	});

	test(`${engine}: revisions are taken once, however many ask at the same time`, async (t) => {
		const {database} = await prepare(t, engine);
		const firsts = await Promise.all(Array.from({length: 20}, () => takeRevisions(database, 3)));
		t.deepEqual(
			firsts.toSorted((a, b) => a - b),
			Array.from({length: 20}, (_, index) => index * 3 + 1),
		);
	});

	test(`${engine}: a rotated key is reached along the chain, and signs what every box is sent anew`, async (t) => {
		const {desk, setConfig, publish, desired, verify, sent} = await prepare(t, engine);
		await setConfig({a: 1});
		await publish();
		sent.clear();
		await desk.rotateKey();
		t.is(await publish(), 1);
		t.like(await verify(desired().order), {kind: 'refused', code: 'MQTT_ORDER_SIGNATURE'});
		const [rotation] = desired().keyChain;
		t.like(await verify(rotation ?? ''), {kind: 'good', claims: {order: {kind: 'rotate-key'}}});
	});

	test(`${engine}: an order is renewed when half its life is over`, async (t) => {
		const {setConfig, publish, context, orders} = await prepare(t, engine);
		await setConfig({});
		await publish();
		context.advance(desiredLifeMs / 2 - 1);
		await renewOrders(orders);
		t.is(await publish(), 0);
		context.advance(2);
		await renewOrders(orders);
		t.is(await publish(), 1);
	});

	test(`${engine}: what a box that is online has not kept in time is sent again, once in each such time`, async (t) => {
		const {setConfig, publish, context, orders, database} = await prepare(t, engine);
		await database.updateTable('box').set({presence: 'online'}).execute();
		await setConfig({a: 1});
		await publish();
		context.advance(keptWithinMs);
		t.is(await resendUnkept(orders), 0);
		context.advance(1);
		t.is(await resendUnkept(orders), 1);
		t.is(await publish(), 1);
		t.is(await resendUnkept(orders), 0);
		context.advance(keptWithinMs + 1);
		await database.updateTable('box').set({desired_kept: 2}).where('id', '=', box).execute();
		t.is(await resendUnkept(orders), 0, 'it has kept it');
		await database.updateTable('box').set({desired_kept: 1, presence: 'offline'}).execute();
		t.is(await resendUnkept(orders), 0, 'it is not there');
	});

	test(`${engine}: a box that refuses what it is sent is told ever more rarely, and at once when that changes`, async (t) => {
		const {setConfig, publish, context, orders, database} = await prepare(t, engine);
		await database.updateTable('box').set({presence: 'online'}).execute();
		await setConfig({a: 1});
		await publish();
		const waits: number[] = [];
		let waitedMs = 0;
		while (waits.length < 12) {
			context.advance(keptWithinMs);
			waitedMs += keptWithinMs;
			if ((await resendUnkept(orders)) === 1) {
				await publish();
				waits.push(waitedMs);
				waitedMs = 0;
			}
		}
		// It is looked once a minute, and told when its time is over.
		const expected = waits.map((_, index) => Math.min(keptWithinMs * 2 ** index, resendAfterMsMax) + keptWithinMs);
		t.deepEqual(waits, expected);
		t.is(waits.at(-1), resendAfterMsMax + keptWithinMs);
		await setConfig({a: 2});
		t.is(await publish(), 1);
		context.advance(keptWithinMs + 1);
		t.is(await resendUnkept(orders), 1, 'what is new is insisted on anew');
	});

	test(`${engine}: what was sent shortly before the broker came back is sent once more`, async (t) => {
		const {setConfig, publish, context, orders} = await prepare(t, engine);
		await setConfig({a: 1});
		await publish();
		await repeatRecent(orders);
		t.is(await publish(), 1);
		context.advance(180_001);
		await repeatRecent(orders);
		t.is(await publish(), 0);
	});

	test(`${engine}: a revoked box is wanted nothing of any more`, async (t) => {
		const {setConfig, publish, database, sent} = await prepare(t, engine);
		await setConfig({a: 1});
		await database.updateTable('box').set({revoked_ms: 1}).where('id', '=', box).execute();
		t.is(await publish(), 1);
		t.is(sent.get('sv/1/box-1/desired'), '');
	});
}

test('a command is for one box, for a time', async (t) => {
	const {desk, verify, context} = await prepare(t);
	const deadlineMs = context.clock.nowMs() + 1000;
	const order = await desk.signCommand({id: 'c1', box, name: 'ping', arguments: {count: 1}, deadlineMs});
	t.like(await verify(order), {kind: 'good', claims: {jti: 'c1', order: {kind: 'command', name: 'ping'}}});
	context.advance(3_600_000);
	t.like(await verify(order), {kind: 'refused', code: 'MQTT_ORDER_EXPIRED'});
});

test('a server without the key that signed before refuses to sign', async (t) => {
	const {desk, orders, filePath} = await prepare(t);
	await desk.publicKey();
	await rm(filePath);
	const stranger = createOrderDesk({...orders, keys: await openOrderKeys({filePath}), wake: () => undefined});
	await t.throwsAsync(stranger.publicKey(), {code: 'OTA_ORDER_KEY_LOST'});
});
