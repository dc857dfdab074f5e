import test from 'ava';
import fc from 'fast-check';
import {evaluateFilter} from '#appliance/filter/evaluate-filter.ts';
import {filterFields} from '#appliance/filter/filter-fields.ts';
import type {FilterNode} from '#appliance/filter/filter-node.ts';
import {compareReleases} from '#appliance/filter/release-order.ts';
import {filterFacts} from '#ota/fleet/registry/box-view.ts';
import {filterToSql} from '#ota/fleet/registry/filter-to-sql.ts';
import {releaseSortKey} from '#ota/fleet/registry/release-sort-key.ts';
import {databaseEngines, withFleetDatabase} from '#test/helper/with-fleet-database.ts';

const nowMs = Date.UTC(2026, 10, 21);
const boxCount = 60;
const runs = 300;

const identifier = fc.oneof(fc.nat({max: 20}).map(String), fc.constantFrom('rc', 'Alpha', 'beta', 'x-1', '-'));
const release = fc
	.tuple(fc.nat({max: 3}), fc.nat({max: 12}), fc.nat({max: 3}), fc.array(identifier, {maxLength: 3}))
	.map(([a, b, c, pre]) => `${a}.${b}.${c}${pre.length === 0 ? '' : `-${pre.join('.')}`}`);
const text = fc.oneof(
	fc.constantFrom('a', 'SV-100', '100%', '_', '\\', "o'clock", 'Ä', 'ä', '', 'berlin-1', 'stb'),
	fc.string({maxLength: 3}).map((each) => each.replaceAll('\0', '')),
);
const tagText = fc.constantFrom('beta', 'lab', 'a.b', 'beta-2', 'x');

const box = fc.record({
	kind: fc.constantFrom('stb', 'headend', 'pop-node'),
	site: fc.constantFrom(null, 'berlin-1', 'paris'),
	tags: fc.uniqueArray(tagText, {maxLength: 3}),
	model: text,
	serial: text,
	release: fc.oneof(release, text),
	presence: fc.constantFrom('online', 'offline', 'never'),
	health: fc.constantFrom('ok', 'warning', 'critical', 'unknown'),
	lastSeenMs: fc.option(fc.integer({min: nowMs - 10_000, max: nowMs})),
	update: fc.constantFrom('idle', 'failed'),
	updateRelease: fc.option(release),
});

type Field = Extract<FilterNode, {kind: 'equals'}>['field'];
const textFields = Object.keys(filterFields).filter((field) => field !== 'lastSeen' && field !== 'enrolled') as Field[];
const field = fc.constantFrom(...textFields);
const value = fc.oneof(text, tagText, release, fc.constantFrom('STB', 'online', 'OK', 'idle', 'paris', 'a\0b'));
const order = fc.constantFrom('<', '<=', '>', '>=' as const);

const leaf: fc.Arbitrary<FilterNode> = fc.oneof(
	fc.constant({kind: 'all'} as const),
	fc.record({kind: fc.constant('search' as const), text: value}),
	fc.record({kind: fc.constant('equals' as const), field, value}),
	fc.record({kind: fc.constant('contains' as const), field, text: value}),
	fc.record({kind: fc.constant('wildcard' as const), field, parts: fc.array(value, {minLength: 2, maxLength: 4})}),
	fc.record({
		kind: fc.constant('release' as const),
		field: fc.constantFrom('release', 'updateRelease' as const),
		order,
		value: fc.oneof(release, text),
	}),
	fc.record({
		kind: fc.constant('time' as const),
		field: fc.constantFrom('lastSeen', 'enrolled' as const),
		order,
		value: fc.oneof(
			fc.record({kind: fc.constant('ago' as const), agoMs: fc.nat({max: 10_000})}),
			fc.record({kind: fc.constant('at' as const), atMs: fc.integer({min: nowMs - 10_000, max: nowMs})}),
		),
	}),
);
const {node} = fc.letrec<{node: FilterNode; leaf: FilterNode}>((tie) => ({
	leaf,
	node: fc.oneof(
		{maxDepth: 3, withCrossShrink: true},
		tie('leaf'),
		fc.record({
			kind: fc.constantFrom('and', 'or' as const),
			nodes: fc.array(tie('node'), {minLength: 1, maxLength: 3}),
		}) as fc.Arbitrary<FilterNode>,
		fc.record({kind: fc.constant('not' as const), node: tie('node')}) as fc.Arbitrary<FilterNode>,
	),
}));

for (const engine of databaseEngines) {
	test(`${engine}: whatever the filter, the database finds the boxes that evaluation finds`, async (t) => {
		const {database} = await withFleetDatabase(t, engine);
		await database
			.insertInto('box')
			.values(
				fc.sample(box, {numRuns: boxCount, seed: 7}).map((each, index) => ({
					id: `box-${index}`,
					kind: each.kind,
					site: each.site,
					tags: JSON.stringify(each.tags.toSorted()),
					model: each.model,
					serial: each.serial,
					release: each.release,
					release_key: releaseSortKey(each.release),
					presence: each.presence,
					health: each.health,
					last_seen_ms: each.lastSeenMs,
					update_phase: each.update,
					update_release: each.updateRelease,
					update_release_key: each.updateRelease === null ? null : releaseSortKey(each.updateRelease),
					enrolled_ms: nowMs - index,
				})),
			)
			.execute();
		const rows = await database.selectFrom('box').selectAll().execute();
		let foundCount = 0;
		await fc.assert(
			fc.asyncProperty(node, async (filter) => {
				const found = await database
					.selectFrom('box')
					.select('id')
					.where(filterToSql(filter, {engine, nowMs}))
					.execute();
				foundCount += found.length;
				t.deepEqual(
					found.map(({id}) => id).sort(),
					rows
						.filter((row) => evaluateFilter(filter, filterFacts(row), {nowMs}))
						.map(({id}) => id)
						.sort(),
				);
			}),
			{numRuns: runs, seed: 1},
		);
		t.true(foundCount > runs, 'these filters find next to nothing');
	});
}

test('a release’s sort key orders as semantic versioning does', (t) => {
	const bytes = (one: string, other: string) => Buffer.compare(Buffer.from(one), Buffer.from(other));
	fc.assert(
		fc.property(release, release, (one, other) => {
			t.is(
				Math.sign(bytes(releaseSortKey(one) ?? '', releaseSortKey(other) ?? '')),
				Math.sign(compareReleases(one, other) ?? Number.NaN),
			);
		}),
	);
	t.is(releaseSortKey('master'), null);
});
