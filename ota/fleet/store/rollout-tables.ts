import type {Generated} from 'kysely';

export type RolloutTable = {
	id: string;
	name: string;
	release: string;
	kind: string;
	state: string;
	/** JSON by `rolloutCreateSchema`. */
	spec: string;
	/** JSON of a reason; null when there is none. */
	reason: string | null;
	created_by: string;
	created_by_id: string;
	created_ms: number;
	/** JSON: who decided, when, with which note. */
	approval: string | null;
	started_ms: number | null;
	ended_ms: number | null;
	/** For If-Match: grows with each act of a person and each change of state. */
	edit_version: Generated<number>;
	/** Grows with each turn of the engine: the row is locked by it. */
	turn: Generated<number>;
};

export type RolloutGroupTable = {
	rollout: string;
	ordinal: number;
	share_from: number;
	share_to: number;
	state: string;
	/** Failures that a person has accepted by resuming; they no longer count. */
	waived: Generated<number>;
	started_ms: number | null;
	ended_ms: number | null;
	/** The signed order of this group in the carousel. */
	broadcast: string | null;
};

export type RolloutBoxTable = {
	rollout: string;
	box: string;
	ordinal: number;
	/** Where its id hashes to; the order within the group. */
	share: number;
	state: string;
	phase: string | null;
	attempt: Generated<number>;
	/** JSON of a reason. */
	reason: string | null;
	ordered_ms: number | null;
	/** When the box entered the phase, by its own clock: what is older is stale. */
	since_ms: Generated<number>;
	changed_ms: number;
	/** `ordered`: when it is given up. `retrying`: when it is ordered again. */
	next_ms: number | null;
	/** Sums over its attempts; what each of them took is JSON beside them, by number, once a box has said it. */
	carousel_bytes: Generated<number>;
	local_bytes: Generated<number>;
	unicast_bytes: Generated<number>;
	attempt_bytes: string | null;
};

export type RolloutTables = {
	rollout: RolloutTable;
	rollout_group: RolloutGroupTable;
	rollout_box: RolloutBoxTable;
};
