import test from 'ava';
import {leaseDurationMs, takeLease} from '#ota/fleet/server/leases.ts';
import {serverGoneMs, startServerHeartbeat} from '#ota/fleet/server/server-heartbeat.ts';
import {withFleetContext} from '#test/helper/with-fleet-context.ts';
import {databaseEngines} from '#test/helper/with-fleet-database.ts';

for (const engine of databaseEngines) {
	test(`${engine}: one server holds a lease until it runs out`, async (t) => {
		const context = await withFleetContext(t, engine);
		const {database} = context.store;
		const of = (serverId: string) => ({...context, database, serverId});
		const first = await Promise.all(['a', 'b', 'c'].map((id) => takeLease(of(id), 'work')));
		t.is(first.filter(Boolean).length, 1);
		const holder = ['a', 'b', 'c'][first.indexOf(true)] ?? '';
		const other = holder === 'a' ? 'b' : 'a';
		context.advance(leaseDurationMs - 1);
		t.true(await takeLease(of(holder), 'work'));
		context.advance(leaseDurationMs - 1);
		t.false(await takeLease(of(other), 'work'));
		context.advance(2);
		t.true(await takeLease(of(other), 'work'));
		t.false(await takeLease(of(holder), 'work'));
	});

	test(`${engine}: one of the others hears that a server is gone`, async (t) => {
		const context = await withFleetContext(t, engine);
		const {database} = context.store;
		const lost: string[] = [];
		await database
			.insertInto('server')
			.values({id: 'dead', started_ms: 0, renewed_ms: context.clock.nowMs() - serverGoneMs - 1, url: ''})
			.execute();
		for (const serverId of ['a', 'b']) {
			const beating = await startServerHeartbeat({
				...{...context, database, serverId, url: 'http://127.0.0.1'},
				onPeerLost: (id) => lost.push(id),
			});
			t.teardown(() => beating[Symbol.asyncDispose]());
		}
		t.deepEqual(lost, ['dead']);
		t.is((await database.selectFrom('server').selectAll().execute()).length, 2);
	});
}
