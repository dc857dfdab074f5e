import type {FilterField, FilterFieldOf} from '#appliance/filter/filter-fields.ts';

/** A point in time: absolute, or as long before the moment of evaluation. */
export type FilterTime = {readonly kind: 'at'; readonly atMs: number} | {readonly kind: 'ago'; readonly agoMs: number};

export type FilterOrder = '<' | '<=' | '>' | '>=';

/**
 * A parsed filter. `!=` is `not` of `equals`, `in` an `or` of them. Two-valued: a fact that is absent makes a leaf false
 * (in SQL, where null would spread, a leaf is `coalesce(…, false)`).
 */
export type FilterNode =
	/** An empty filter. */
	| {readonly kind: 'all'}
	| {readonly kind: 'and' | 'or'; readonly nodes: readonly FilterNode[]}
	| {readonly kind: 'not'; readonly node: FilterNode}
	/** Bare word: a substring of one of `searchedFields`. */
	| {readonly kind: 'search'; readonly text: string}
	| {readonly kind: 'equals'; readonly field: Exclude<FilterField, FilterFieldOf<'time'>>; readonly value: string}
	/** `*` stands for any characters, of which `parts` are what lies between: `a*b` is ['a', 'b']; at least two. */
	| {
			readonly kind: 'wildcard';
			readonly field: Exclude<FilterField, FilterFieldOf<'time'>>;
			readonly parts: readonly string[];
	  }
	| {
			readonly kind: 'contains';
			readonly field: Exclude<FilterField, FilterFieldOf<'time'>>;
			readonly text: string;
	  }
	| {
			readonly kind: 'release';
			readonly field: FilterFieldOf<'release'>;
			readonly order: FilterOrder;
			readonly value: string;
	  }
	| {
			readonly kind: 'time';
			readonly field: FilterFieldOf<'time'>;
			readonly order: FilterOrder;
			readonly value: FilterTime;
	  };
