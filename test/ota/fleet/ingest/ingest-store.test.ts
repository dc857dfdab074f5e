import test from 'ava';
import type {BoxRow} from '#ota/fleet/ingest/apply-to-box.ts';
import {readBoxes, writeBoxes} from '#ota/fleet/ingest/ingest-store.ts';
import {enrolBoxes} from '#test/helper/sample-box.ts';
import {databaseEngines, withFleetDatabase} from '#test/helper/with-fleet-database.ts';

const updated: Partial<BoxRow> = {
	update_phase: 'failed',
	update_order: 'order-1',
	update_release: '1.1.0',
	update_release_key: 'key-1.1.0',
	update_reason: '{"code":"OTA_DISK_FULL","message":"no room"}',
	update_since_ms: 7,
	last_seen_ms: 8,
};

/** Everything that messages change. */
const heard: Partial<BoxRow> = {
	...updated,
	kind: 'pop-node',
	model: 'SV-200',
	serial: 'serial-1',
	release: '1.0.0',
	release_key: 'key-1.0.0',
	presence: 'online',
	presence_session: 'session-1',
	presence_ms: 5,
	silent_ms: 6,
	health: 'critical',
	report_health: 'warning',
	alarm_health: 'critical',
	time_zone: 'Europe/Berlin',
	reported_revision: 3,
	desired_kept: 4,
};

/** What the ingest has no say in, as it would be if a stale row were written whole. */
const told: Partial<BoxRow> = {
	site: 'nowhere',
	tags: '["stale"]',
	desired_revision: 99,
	enrolled_ms: 99,
	revoked_ms: 99,
	edit_version: 99,
};

for (const engine of databaseEngines) {
	for (const [what, changes] of [
		['a phase of an update', updated],
		['all that messages say', heard],
	] as const) {
		test(`${engine}: ${what} is written to each box, and what people change is left alone`, async (t) => {
			const {database} = await withFleetDatabase(t, engine);
			const ids = ['box-1', 'box-2', 'box-3'];
			await enrolBoxes(database, ids);
			const read = () => database.transaction().execute((transaction) => readBoxes(transaction, {engine, ids}));
			const before = await read();
			const rows = [...before.values()].slice(0, 2).map((row, index) => ({
				...row,
				...changes,
				update_order: `order-${index}`,
			}));
			// A row that is stale in what people change differs nowhere from what was read, as the update is told by that.
			const stale = new Map([...before].map(([id, row]) => [id, {...row, ...told}]));
			await database
				.transaction()
				.execute(async (transaction) =>
					writeBoxes(transaction, {boxes: stale, rows: rows.map((row) => ({...row, ...told}))}),
				);
			const after = await read();
			t.deepEqual([...after.values()], [...rows, before.get('box-3')]);
		});
	}
}
