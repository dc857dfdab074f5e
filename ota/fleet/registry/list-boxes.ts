import {type RawBuilder, type SelectQueryBuilder, sql} from 'kysely';
import {z} from 'zod';
import {parseFilter} from '#appliance/filter/parse-filter.ts';
import type {boxQuerySchema, boxSortColumns} from '#ota/contract/box-api.ts';
import {decodeCursor, pageOfRows} from '#ota/fleet/api/page-cursor.ts';
import {type BoxRow, boxSummary} from '#ota/fleet/registry/box-view.ts';
import {filterToSql} from '#ota/fleet/registry/filter-to-sql.ts';
import type {FleetTables} from '#ota/fleet/store/fleet-database.ts';
import type {OpenFleetDatabase} from '#ota/fleet/store/open-fleet-database.ts';

type SortColumn = (typeof boxSortColumns)[number];

/** Absent values sort as these, by the very expressions that the indexes have. */
const sortColumns: Readonly<
	Record<SortColumn, {readonly expression: RawBuilder<unknown>; readonly of: (row: BoxRow) => string | number}>
> = {
	id: {expression: sql`box.id`, of: (row) => row.id},
	kind: {expression: sql`box.kind`, of: (row) => row.kind},
	site: {expression: sql`coalesce(box.site, '')`, of: (row) => row.site ?? ''},
	release: {expression: sql`box.release`, of: (row) => row.release},
	presence: {expression: sql`box.presence`, of: (row) => row.presence},
	lastSeenMs: {expression: sql`coalesce(box.last_seen_ms, 0)`, of: (row) => row.last_seen_ms ?? 0},
	health: {expression: sql`box.health`, of: (row) => row.health},
	model: {expression: sql`box.model`, of: (row) => row.model},
};

const cursorSchema = z.tuple([z.union([z.string(), z.number()]), z.string()]);

export type BoxSelection = {readonly filter: string; readonly sort: z.output<typeof boxQuerySchema>['sort']};

/** All boxes that match, in order, beginning after the cursor. */
export const selectBoxes = (
	{database, engine}: OpenFleetDatabase,
	options: BoxSelection & {
		readonly nowMs: number;
		readonly after?: readonly [string | number, string] | undefined;
		readonly limit: number;
	},
): SelectQueryBuilder<FleetTables, 'box', BoxRow> => {
	const {column, isDown} = parseSort(options.sort);
	const {expression} = sortColumns[column];
	let query = database
		.selectFrom('box')
		.selectAll()
		.where(filterToSql(parseFilter(options.filter), {engine, nowMs: options.nowMs}));
	if (options.after !== undefined) {
		const [value, id] = options.after;
		query = query.where(
			isDown
				? sql<boolean>`(${expression}, box.id) < (${value}, ${id})`
				: sql<boolean>`(${expression}, box.id) > (${value}, ${id})`,
		);
	}
	const direction = isDown ? 'desc' : 'asc';
	return query.orderBy(expression, direction).orderBy('box.id', direction).limit(options.limit);
};

export const listBoxes = async (
	store: OpenFleetDatabase,
	query: z.output<typeof boxQuerySchema>,
	{nowMs}: {readonly nowMs: number},
) => {
	const {filter, sort, limit, cursor} = query;
	const after = decodeCursor(cursor, cursorSchema);
	const rows = await selectBoxes(store, {filter, sort, nowMs, after, limit: limit + 1}).execute();
	return {
		...pageOfRows(rows, {limit, toItem: boxSummary, cursorOf: (row) => [sortValue(sort, row), row.id]}),
		// Counted for the first page only: those after it do not show it again.
		...(after === undefined ? {total: await countBoxes(store, {filter, nowMs})} : {}),
	};
};

export const countBoxes = async (
	{database, engine}: OpenFleetDatabase,
	{filter, nowMs}: {readonly filter: string; readonly nowMs: number},
): Promise<number> => {
	const {count} = await database
		.selectFrom('box')
		.select((select) => select.fn.countAll<number>().as('count'))
		.where(filterToSql(parseFilter(filter), {engine, nowMs}))
		.executeTakeFirstOrThrow();
	return Number(count);
};

export const sortValue = (sort: BoxSelection['sort'], row: BoxRow): string | number =>
	sortColumns[parseSort(sort).column].of(row);

const parseSort = (sort: BoxSelection['sort']): {readonly column: SortColumn; readonly isDown: boolean} =>
	sort.startsWith('-')
		? {column: sort.slice(1) as SortColumn, isDown: true}
		: {column: sort as SortColumn, isDown: false};
