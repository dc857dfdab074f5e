import test from 'ava';
import {createOrderDesk} from '#ota/fleet/order/create-order-desk.ts';
import {openOrderKeys} from '#ota/fleet/order/order-keys.ts';
import {RolloutEngine} from '#ota/fleet/rollout/rollout-engine.ts';
import {openFleetDatabase} from '#ota/fleet/store/open-fleet-database.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withRollouts} from '#test/helper/with-rollouts.ts';

// On SQLite there is one server, and one connection.
test(`two engines without a lease between them, one of which is stopped half way, lose and double nothing`, async (t) => {
	const rollouts = await withRollouts(t, {databaseEngine: 'postgres', boxCount: 60});
	const {context, engineContext, run, boxesIn, say, service} = rollouts;
	const startAtMs = context.clock.nowMs() + 1000;
	const rollout = await run({startAtMs, inFlightMax: 10, lateJoiners: {kind: 'ignore'}});
	const other = await openFleetDatabase({url: context.url});
	t.teardown(async () => await other[Symbol.asyncDispose]());
	const {database} = other;
	const keys = await openOrderKeys({filePath: `${await withDirectory(t)}/key.json`});
	const desk = createOrderDesk({fleet: 'test', database, keys, clock: context.clock, wake: () => undefined});
	const engines = [rollouts.engine, new RolloutEngine({...engineContext, store: other, desk})];
	const stops = engines.map(() => new AbortController());
	const running = engines.map((engine, index) =>
		engine.run({signal: stops[index]?.signal ?? context.signal}).catch(() => undefined),
	);
	context.advance(1000);
	let heard = 0;
	await eventually(
		'the end of the rollout',
		async () => {
			const ordered = await boxesIn(rollout, 'ordered');
			t.true(ordered.length <= 10, `${ordered.length} in flight`);
			await say(rollout, ordered, 'confirmed');
			heard += ordered.length;
			if (heard > 20) {
				stops[0]?.abort();
			}
			engines[1]?.wake();
			return (await service.get(rollout.id)).state === 'finished';
		},
		{timeoutMs: 60_000},
	);
	for (const stop of stops) {
		stop.abort();
	}
	await Promise.all(running);
	t.is((await boxesIn(rollout, 'done')).length, 60);
	const desired = await database.selectFrom('desired').select(['box', 'change']).execute();
	t.is(desired.length, 60);
	t.true(
		desired.every(({change}) => change === 1),
		'each box was told once',
	);
});
