import {boxKinds} from '#appliance/contract/box-schema.ts';
import {updatePhases} from '#appliance/contract/fleet/update-schema.ts';

/**
 * The fields of the filter language. What compiles a filter for another engine (SQL) walks this table.
 * `text` compares without regard to the case of ASCII letters; `set` matches when any member does; `release` is ordered
 * by semantic versioning; `time` takes `24h ago` or an ISO date.
 */
export const filterFields = {
	id: {type: 'text'},
	kind: {type: 'choice', values: boxKinds},
	site: {type: 'text'},
	tag: {type: 'set'},
	model: {type: 'text'},
	serial: {type: 'text'},
	release: {type: 'release'},
	presence: {type: 'choice', values: ['online', 'offline', 'never']},
	health: {type: 'choice', values: ['ok', 'warning', 'critical', 'unknown']},
	lastSeen: {type: 'time'},
	enrolled: {type: 'time'},
	update: {type: 'choice', values: updatePhases},
	updateRelease: {type: 'release'},
	timeZone: {type: 'text'},
} as const satisfies Record<string, FilterFieldType>;

export type FilterFieldType =
	| {readonly type: 'text' | 'set' | 'release' | 'time'}
	| {readonly type: 'choice'; readonly values: readonly string[]};

export type FilterField = keyof typeof filterFields;
export const filterFieldNames = Object.keys(filterFields) as readonly FilterField[];

export type FilterFieldOf<Type extends FilterFieldType['type']> = {
	[Field in FilterField]: (typeof filterFields)[Field]['type'] extends Type ? Field : never;
}[FilterField];

/** What a bare word is looked for in. */
export const searchedFields = ['id', 'serial', 'model'] as const satisfies readonly FilterField[];

/** What is known of one box. Absent facts match nothing: `not` of a comparison with one is true. */
export type FilterFacts = {
	readonly id: string;
	readonly kind?: string | undefined;
	readonly site?: string | undefined;
	readonly tags?: readonly string[] | undefined;
	readonly model?: string | undefined;
	readonly serial?: string | undefined;
	readonly release?: string | undefined;
	readonly presence?: string | undefined;
	readonly health?: string | undefined;
	readonly lastSeenMs?: number | undefined;
	readonly enrolledMs?: number | undefined;
	readonly update?: string | undefined;
	readonly updateRelease?: string | undefined;
	readonly timeZone?: string | undefined;
};
