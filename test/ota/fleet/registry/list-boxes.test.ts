import {text} from 'node:stream/consumers';
import test, {type ExecutionContext} from 'ava';
import {boxQuerySchema, boxSortColumns, overviewSchema} from '#ota/contract/box-api.ts';
import {exportBoxes} from '#ota/fleet/registry/export-boxes.ts';
import {listBoxes} from '#ota/fleet/registry/list-boxes.ts';
import {readOverview} from '#ota/fleet/registry/read-overview.ts';
import type {DatabaseEngine} from '#ota/fleet/store/open-fleet-database.ts';
import {databaseEngines, withFleetDatabase} from '#test/helper/with-fleet-database.ts';

const count = 25;
const nowMs = Date.UTC(2026, 10, 21);

const prepare = async (t: ExecutionContext, engine: DatabaseEngine) => {
	const store = await withFleetDatabase(t, engine);
	await store.database
		.insertInto('site')
		.values({id: 'paris', name: 'Paris', latitude: 48, longitude: 2, time_zone: 'Europe/Paris', windows: null})
		.execute();
	await store.database
		.insertInto('box')
		.values(
			Array.from({length: count}, (_, index) => ({
				id: `box-${String(index).padStart(2, '0')}`,
				kind: index % 3 === 0 ? 'headend' : 'stb',
				site: index % 2 === 0 ? 'paris' : null,
				model: index === 0 ? '=cmd|"x"' : `M${index % 4}`,
				release: '1.0.0',
				presence: index % 5 === 0 ? 'offline' : 'online',
				health: index % 6 === 0 ? 'critical' : 'ok',
				last_seen_ms: index % 7 === 0 ? null : nowMs - index,
				update_phase: index === 1 ? 'fetching' : 'idle',
				enrolled_ms: nowMs,
				revoked_ms: index === count - 1 ? nowMs : null,
			})),
		)
		.execute();
	return store;
};

for (const engine of databaseEngines) {
	test(`${engine}: in every order, pages hold each box once`, async (t) => {
		const store = await prepare(t, engine);
		for (const sort of boxSortColumns.flatMap((column) => [column, `-${column}` as const])) {
			const ids: string[] = [];
			let cursor: string | undefined;
			do {
				const page = await listBoxes(store, boxQuerySchema.parse({sort, limit: 7, cursor}), {nowMs});
				t.is(page.total, cursor === undefined ? count : undefined);
				ids.push(...page.items.map(({id}) => id));
				cursor = page.nextCursor;
			} while (cursor !== undefined);
			t.is(new Set(ids).size, count, sort);
			t.is(ids.length, count, sort);
		}
	});

	test(`${engine}: the order is the same on both engines, absent values first`, async (t) => {
		const store = await prepare(t, engine);
		const {items} = await listBoxes(store, boxQuerySchema.parse({sort: 'lastSeenMs', limit: 6}), {nowMs});
		t.deepEqual(
			items.map(({id}) => id),
			['box-00', 'box-07', 'box-14', 'box-21', 'box-24', 'box-23'],
		);
	});

	test(`${engine}: a cursor of another list is refused, and so is a filter that cannot be read`, async (t) => {
		const store = await prepare(t, engine);
		await t.throwsAsync(listBoxes(store, boxQuerySchema.parse({cursor: 'e30'}), {nowMs}), {
			code: 'OTA_API_CURSOR_INVALID',
		});
		await t.throwsAsync(listBoxes(store, boxQuerySchema.parse({filter: "' or 1=1 --("}), {nowMs}));
	});

	test(`${engine}: an export holds every box, and no formula`, async (t) => {
		const store = await prepare(t, engine);
		const csv = await text(exportBoxes(store, {filter: '', sort: 'id', format: 'csv', nowMs}));
		t.is(csv.trimEnd().split('\r\n').length, count + 1);
		t.true(csv.includes('"\'=cmd|""x"""'));
		const json: unknown = JSON.parse(
			await text(exportBoxes(store, {filter: 'kind=stb', sort: '-id', format: 'json', nowMs})),
		);
		t.is((json as unknown[]).length, 16);
		t.is(await text(exportBoxes(store, {filter: 'nobody', sort: 'id', format: 'json', nowMs})), '[]\n');
	});

	test(`${engine}: the overview counts who is not revoked`, async (t) => {
		const {database} = await prepare(t, engine);
		const overview = await readOverview(database, {nowMs, alerts: {warning: 1, critical: 2}});
		t.like(overview, {boxes: count - 1, online: 19, updating: 1, alerts: {critical: 2}});
		t.is(overview.byKind.headend.boxes + overview.byKind.stb.boxes, count - 1);
		t.like(overview.sites, [{id: 'paris', boxes: 12}]);
	});

	test(`${engine}: a box that names its release as what every object has does not break the overview`, async (t) => {
		const {database} = await prepare(t, engine);
		for (const [index, release] of ['constructor', '__proto__', 'toString'].entries()) {
			await database
				.updateTable('box')
				.set({release})
				.where('id', '=', `box-0${index + 1}`)
				.execute();
		}
		const overview = await readOverview(database, {nowMs, alerts: {warning: 0, critical: 0}});
		const {byKind} = overviewSchema.parse(overview);
		t.is(byKind.stb.byRelease['constructor'], 1);
		t.is(byKind.headend.byRelease['toString'], 1);
		t.is(({} as Record<string, unknown>)['byRelease'], undefined);
	});
}
