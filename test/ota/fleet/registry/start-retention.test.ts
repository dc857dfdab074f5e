import test from 'ava';
import {fleetConfigSchema} from '#ota/fleet/config/fleet-config-schema.ts';
import {retainOnce} from '#ota/fleet/registry/start-retention.ts';
import {enrolBoxes} from '#test/helper/sample-box.ts';
import {withFleetContext} from '#test/helper/with-fleet-context.ts';
import {databaseEngines} from '#test/helper/with-fleet-database.ts';

const dayMs = 86_400_000;
const {retention} = fleetConfigSchema.parse({});

for (const engine of databaseEngines) {
	test(`${engine}: old samples are thinned, and older ones deleted, with old events`, async (t) => {
		const context = await withFleetContext(t, engine);
		const {database} = context.store;
		const nowMs = context.clock.nowMs();
		await enrolBoxes(database, ['box-1']);
		const thinnedMs = nowMs - (retention.thinAfterDays + 0.5) * dayMs;
		const sampleAt = (atMs: number) => ({box: 'box-1', at_ms: Math.floor(atMs), metrics: '{}'});
		await database
			.insertInto('telemetry')
			.values([
				sampleAt(nowMs - (retention.telemetryDays + 1) * dayMs),
				...Array.from({length: 30}, (_, index) => sampleAt(thinnedMs + index * 60_000)),
				...Array.from({length: 5}, (_, index) => sampleAt(nowMs - index * 1000)),
			])
			.execute();
		const event = {box: 'box-1', epoch: 'e', received_ms: 0, severity: 'info', kind: 'note', data: '{}'};
		await database
			.insertInto('box_event')
			.values([
				{...event, sequence: 1, at_ms: nowMs - (retention.eventDays + 1) * dayMs},
				{...event, sequence: 2, at_ms: nowMs},
			])
			.execute();
		await retainOnce({...context, database, retention}, {signal: context.signal});
		await retainOnce({...context, database, retention}, {signal: context.signal});
		const left = await database.selectFrom('telemetry').select('at_ms').execute();
		t.is(left.filter(({at_ms: atMs}) => atMs > nowMs - dayMs).length, 5);
		t.is(left.filter(({at_ms: atMs}) => atMs < nowMs - dayMs).length, 6);
		t.deepEqual(await database.selectFrom('box_event').select('sequence').execute(), [{sequence: 2}]);
	});
}
