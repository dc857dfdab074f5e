import test from 'ava';
import {boxMessagesOf} from '#ota/fleet/bridge/box-message.ts';
import {appendToOutbox} from '#ota/fleet/bridge/outbox.ts';
import {createMetricsPart} from '#ota/fleet/metrics/create-metrics-part.ts';
import {sampleIngest} from '#test/helper/sample-ingest.ts';
import {withFleetApi} from '#test/helper/with-fleet-api.ts';
import {databaseEngines} from '#test/helper/with-fleet-database.ts';
import {withHttpApp} from '#test/helper/with-http-app.ts';

for (const engine of databaseEngines) {
	test(`Prometheus reads the fleet in numbers, with a bounded set of labels (${engine})`, async (t) => {
		const api = await withFleetApi(t, {engine});
		const {database} = api.store;
		const metrics = createMetricsPart(api, {authenticate: api.accounts.authenticate});
		const url = await withHttpApp(t, metrics.router.routes() as never);
		t.is((await fetch(`${url}/metrics`)).status, 401);
		const cookie = await api.signInAs('viewer');
		const {token} = (await api.call('POST /tokens', {cookie, body: {name: 'prometheus', role: 'viewer'}})).body;
		const nowMs = api.clock.nowMs();
		const rows = Array.from({length: 50}, (_, index) => ({
			id: `box-${index}`,
			kind: 'stb',
			presence: index < 30 ? 'online' : 'offline',
			release: `1.0.${index < 20 ? 0 : index}`,
			enrolled_ms: nowMs,
		}));
		await database
			.insertInto('box')
			.values(rows as never)
			.execute();
		const batch = sampleIngest(['box-1', 'box-2'], 1);
		await database.transaction().execute(async (transaction) => {
			await metrics.writeIngest?.(transaction, batch);
			await appendToOutbox(transaction, boxMessagesOf(batch), nowMs - 90_000);
		});
		metrics.afterIngest?.(batch);
		const answer = await fetch(`${url}/metrics`, {headers: {authorization: `Bearer ${token}`}});
		t.is(answer.status, 200);
		const text = await answer.text();
		const numberOf = (line: string): number | undefined => {
			const found = text.split('\n').find((each) => each.startsWith(`${line} `));
			return found === undefined ? undefined : Number(found.slice(line.length));
		};
		t.is(numberOf('streamverse_fleet_boxes{kind="stb",presence="online",health="unknown"}'), 30);
		t.is(numberOf('streamverse_fleet_boxes_by_release{release="1.0.0"}'), 20);
		t.is(numberOf('streamverse_fleet_boxes_by_release{release="(others)"}'), 11);
		t.is(numberOf('streamverse_fleet_boxes_by_update{phase="idle"}'), 50);
		t.is(numberOf('streamverse_fleet_ingested_total{topic="events"}'), 4);
		t.is(numberOf('streamverse_fleet_ingest_seconds_count'), 1);
		t.is(numberOf('streamverse_fleet_outbox_rows'), 6);
		t.is(numberOf('streamverse_fleet_outbox_lag_seconds'), 90);
		t.true((numberOf('streamverse_fleet_database_seconds{query="boxes"}') ?? 0) > 0);
		t.true((numberOf('process_resident_memory_bytes') ?? 0) > 1e6);
		t.false(/box-\d/u.test(text), 'no series per box');
	});
}
