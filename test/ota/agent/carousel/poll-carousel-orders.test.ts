import {randomUUID} from 'node:crypto';
import test from 'ava';
import type {UpdateOrder} from '#appliance/contract/fleet/order-schema.ts';
import {shareOf} from '#appliance/filter/share-of.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import type {CarouselUpdate, FleetLink} from '#appliance/mqtt/fleet-link.ts';
import {startFleetLink} from '#appliance/mqtt/start-fleet-link.ts';
import {pollCarouselOrders} from '#ota/agent/carousel/poll-carousel-orders.ts';
import {eventually} from '#test/helper/eventually.ts';
import {type FleetLinkSetup, testBox, testIdentity, withFleetLink} from '#test/helper/with-fleet-link.ts';
import type {RoleServe} from '#test/helper/with-role-serve.ts';
import {withUpdateBox} from '#test/helper/with-update-box.ts';

const objectUri = 'http://dvb.gw/op/release/orders.json';
const weekMs = 7 * 86_400_000;

const poll = (serve: RoleServe, take: FleetLink['takeCarouselOrders']): AbortController => {
	const stop = new AbortController();
	void pollCarouselOrders({
		roleUrl: () => serve.url,
		objectUri,
		take,
		intervalMs: 20,
		logger: silentLogger(),
		signal: stop.signal,
	});
	return stop;
};

/** A link whose broker is on the other side of a one-way path. */
const oneWayLink = async (setup: FleetLinkSetup, nowMs: () => number): Promise<FleetLink> => {
	const {authority, signer, directory} = setup;
	return await startFleetLink({
		identity: await testIdentity({authority, signer, brokerUrl: 'mqtts://127.0.0.1:1'}),
		...{directory, kind: 'stb', bootId: randomUUID(), logger: silentLogger()},
		clock: {nowMs, monotonicMs: () => performance.now()},
		facts: () => ({id: testBox, kind: 'stb', release: '1.0.0'}),
	});
};

/** Two waves, of which one is this box's. */
const ordersFor = async (
	{signer}: FleetLinkSetup,
	update: UpdateOrder,
	options: {readonly iat: number; readonly mine: boolean},
): Promise<string> => {
	const share = shareOf('wave', testBox);
	const [from, to] = options.mine ? [0, 1] : share < 0.5 ? [0.5, 1] : [0, 0.5];
	const target = {kind: 'share', filter: 'kind = stb and release < 2.0.0', salt: 'wave', from, to} as const;
	const claims = {iat: options.iat, exp: options.iat + 30 * 86_400, target};
	return JSON.stringify({version: 1, keyChain: [], orders: [await signer.sign({kind: 'update', update}, claims)]});
};

test('a box without any return path takes its order from the carousel and updates; a week later its reports arrive', async (t) => {
	const setup = await withFleetLink(t);
	const pastMs = Date.now() - weekMs;
	const link = await oneWayLink(setup, () => pastMs);
	const box = await withUpdateBox(t, {onTell: (status) => link.tellEvent({kind: 'update', data: status})});
	const heard: CarouselUpdate[] = [];
	link.onCarouselUpdate((update) => heard.push(update));
	const polling = poll(box.serve, link.takeCarouselOrders);
	const iat = Math.floor(pastMs / 1000);
	box.serve.orders = await ordersFor(setup, box.order, {iat, mine: false});
	await eventually('the other wave', () => box.serve.orders !== undefined && heard.length === 0);
	box.serve.orders = await ordersFor(setup, box.order, {iat, mine: true});
	await eventually('the order', () => heard.length > 0);
	polling.abort();
	const outcome = await box.run(heard[0]?.update, {origin: 'carousel'});
	t.like(outcome, {phase: 'confirmed', slot: 'slot-b', release: '2.0.0', reboots: 1});
	t.deepEqual(outcome.status.bytes, {carousel: box.serve.bytes.length, local: 0, unicast: 0});
	t.false(link.isConnected());
	await link[Symbol.asyncDispose]();

	const server = await setup.startServer();
	await setup.startLink();
	await eventually('the reports', () =>
		server.events.some(({event}) => event.kind === 'update' && event.data.phase === 'confirmed'),
	);
	const phases = server.events.flatMap(({event, atMs}) => (event.kind === 'update' ? [[event.data.phase, atMs]] : []));
	t.deepEqual(
		phases,
		['accepted', 'fetching', 'verified', 'installing', 'rebooting', 'confirming', 'confirmed'].map((phase) => [
			phase,
			pastMs,
		]),
	);
});

test('a box that nobody ever hears of runs the release all the same, and an order of a stranger is not obeyed', async (t) => {
	const setup = await withFleetLink(t);
	const foreign = await withFleetLink(t);
	const link = await oneWayLink(setup, Date.now);
	t.teardown(() => link[Symbol.asyncDispose]());
	const box = await withUpdateBox(t, {onTell: (status) => link.tellEvent({kind: 'update', data: status})});
	const heard: CarouselUpdate[] = [];
	link.onCarouselUpdate((update) => heard.push(update));
	let taken = 0;
	const polling = poll(box.serve, async (orders) => {
		await link.takeCarouselOrders(orders);
		taken += 1;
	});
	t.teardown(() => polling.abort());
	const iat = Math.floor(Date.now() / 1000);
	for (const bad of [
		await ordersFor(foreign, box.order, {iat, mine: true}),
		await ordersFor(setup, box.order, {iat: iat - 60 * 86_400, mine: true}),
		await ordersFor(setup, box.order, {iat, mine: false}),
	]) {
		const before = taken;
		box.serve.orders = bad;
		await eventually('the look', () => taken > before);
		t.is(heard.length, 0);
	}
	for (const junk of ['', '{', '{"version":1}', 'null', '<html>', '[]'.repeat(1000)]) {
		box.serve.orders = junk;
		await new Promise((resolve) => {
			setTimeout(resolve, 50);
		});
	}
	t.is(heard.length, 0);
	box.serve.orders = await ordersFor(setup, box.order, {iat, mine: true});
	await eventually('the order', () => heard.length > 0);
	t.like(await box.run(heard[0]?.update, {origin: 'carousel'}), {phase: 'confirmed', slot: 'slot-b', reboots: 1});
	t.false(link.isConnected());
});
