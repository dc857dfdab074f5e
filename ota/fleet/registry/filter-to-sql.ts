import {type RawBuilder, sql} from 'kysely';
import {foldCase, timeOf} from '#appliance/filter/evaluate-filter.ts';
import {filterFields, searchedFields} from '#appliance/filter/filter-fields.ts';
import type {FilterNode} from '#appliance/filter/filter-node.ts';
import {tagSchema} from '#ota/contract/box-api.ts';
import {releaseSortKey} from '#ota/fleet/registry/release-sort-key.ts';
import type {DatabaseEngine} from '#ota/fleet/store/open-fleet-database.ts';

type Condition = RawBuilder<boolean>;
type TextField = Extract<FilterNode, {kind: 'equals'}>['field'];

export type FilterSqlOptions = {readonly engine: DatabaseEngine; readonly nowMs: number};

const columns = {
	id: 'box.id',
	kind: 'box.kind',
	site: 'box.site',
	tag: 'box.tags',
	model: 'box.model',
	serial: 'box.serial',
	release: 'box.release',
	presence: 'box.presence',
	health: 'box.health',
	update: 'box.update_phase',
	updateRelease: 'box.update_release',
	timeZone: 'box.time_zone',
} as const satisfies Record<TextField, string>;

/** These hold no capital letters, so that an index can be used. */
const lowerCaseFields: ReadonlySet<TextField> = new Set(['id', 'kind', 'site', 'presence', 'health', 'update']);
const nullableFields: ReadonlySet<TextField> = new Set(['site', 'updateRelease']);
const orders = {'<': sql`<`, '<=': sql`<=`, '>': sql`>`, '>=': sql`>=`} as const;
const never: Condition = sql<boolean>`1 = 0`;

/**
 * The filter as a condition over the table `box`. Every value is a parameter; what a person wrote never becomes SQL.
 * Two-valued as `evaluateFilter` is, with which it agrees on every box.
 */
export const filterToSql = (node: FilterNode, options: FilterSqlOptions): Condition => {
	switch (node.kind) {
		case 'all':
			return sql<boolean>`1 = 1`;
		case 'and':
		case 'or':
			return join(
				node.nodes.map((each) => filterToSql(each, options)),
				node.kind,
			);
		case 'not':
			return sql<boolean>`not (${filterToSql(node.node, options)})`;
		case 'search':
			return join(
				searchedFields.map((field) => like(field, ['', node.text, ''], options)),
				'or',
			);
		case 'equals':
			return equals(node.field, foldCase(node.value), options);
		case 'wildcard':
			return like(node.field, node.parts, options);
		case 'contains':
			return like(node.field, ['', node.text, ''], options);
		case 'release':
			return compareRelease(node, options);
		case 'time': {
			const column = sql.ref(node.field === 'lastSeen' ? 'box.last_seen_ms' : 'box.enrolled_ms');
			return sql<boolean>`(${column} is not null and ${column} ${orders[node.order]} ${timeOf(node.value, options)})`;
		}
	}
};

const join = (conditions: readonly Condition[], operator: 'and' | 'or'): Condition =>
	conditions.length === 0
		? sql<boolean>`${operator === 'and' ? sql`1 = 1` : sql`1 = 0`}`
		: sql<boolean>`(${sql.join([...conditions], operator === 'and' ? sql` and ` : sql` or `)})`;

/** PostgreSQL takes no NUL in a parameter, and no text of the table holds one. */
const isImpossible = (text: string): boolean => text.includes('\0');

const equals = (field: TextField, value: string, options: FilterSqlOptions): Condition => {
	if (isImpossible(value)) {
		return never;
	}
	if (field === 'tag') {
		// Within the JSON text such a tag stands between its quotes and nowhere else.
		return tagSchema.safeParse(value).success
			? sql<boolean>`box.tags like ${`%"${escapeLike(value)}"%`} escape '\\'`
			: anyTag(sql<boolean>`${lower(sql.ref('member.value'), options)} = ${value}`, options);
	}
	const column = sql.ref(columns[field]);
	const compared = lowerCaseFields.has(field) ? column : lower(column, options);
	return present(field, sql<boolean>`${compared} = ${value}`);
};

const like = (field: TextField, parts: readonly string[], options: FilterSqlOptions): Condition => {
	if (parts.some(isImpossible)) {
		return never;
	}
	const pattern = parts.map((part) => escapeLike(foldCase(part))).join('%');
	const matches = (text: RawBuilder<unknown>): Condition =>
		sql<boolean>`${lower(text, options)} like ${pattern} escape '\\'`;
	return field === 'tag'
		? anyTag(matches(sql.ref('member.value')), options)
		: present(field, matches(sql.ref(columns[field])));
};

const escapeLike = (text: string): string => text.replaceAll(/[%_\\]/gu, String.raw`\$&`);

/** Only ASCII letters lose their case: SQLite's `lower` knows no others, PostgreSQL's in the C collation neither. */
const lower = (text: RawBuilder<unknown>, {engine}: FilterSqlOptions): RawBuilder<unknown> =>
	engine === 'postgres' ? sql`lower(${text} collate "C")` : sql`lower(${text})`;

const present = (field: TextField, condition: Condition): Condition =>
	nullableFields.has(field) ? sql<boolean>`(${sql.ref(columns[field])} is not null and ${condition})` : condition;

const anyTag = (condition: Condition, {engine}: FilterSqlOptions): Condition =>
	engine === 'postgres'
		? sql<boolean>`exists (select 1 from json_array_elements_text(box.tags::json) as member(value) where ${condition})`
		: sql<boolean>`exists (select 1 from json_each(box.tags) as member where ${condition})`;

const compareRelease = (
	{field, order, value}: Extract<FilterNode, {kind: 'release'}>,
	{engine}: FilterSqlOptions,
): Condition => {
	const key = releaseSortKey(value);
	if (key === null || filterFields[field].type !== 'release') {
		return never;
	}
	const column = sql.ref(field === 'release' ? 'box.release_key' : 'box.update_release_key');
	const bytes = engine === 'postgres' ? sql`${column} collate "C"` : column;
	return sql<boolean>`(${column} is not null and ${bytes} ${orders[order]} ${key})`;
};
