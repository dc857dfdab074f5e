import type {Generated} from 'kysely';

/** What the fleet wants of one box; what is signed and sent is made from it. */
export type DesiredTable = {
	box: string;
	/** Names a row of `update_body`; null = no update is wanted. */
	update_body: string | null;
	/** JSON object: the config overlay. */
	config: Generated<string>;
	/** Of the order that was sent last. */
	revision: Generated<number>;
	/** Grows with each change: what was sent is marked done only if it was the last. */
	change: Generated<number>;
	dirty: Generated<number>;
	/** When the order that was sent last expires; it is renewed long before. */
	expires_ms: Generated<number>;
	/** After so long without being kept it is sent once more; doubles each time, and begins anew with a change. */
	resend_after_ms: Generated<number>;
};

/** Update orders as JSON, once each, by the SHA-256 of the JSON: a wave of ten thousand boxes shares one. */
export type UpdateBodyTable = {id: string; body: string};

/** The public halves of the keys that have signed orders; the private ones are in a file. */
export type OrderKeyTable = {
	kid: string;
	/** Position in the chain: the factory key is 1. */
	position: number;
	/** Public JWK as JSON. */
	jwk: string;
	/** The `rotate-key` order that made it valid; null for the first. */
	rotation: string | null;
	created_ms: number;
};

export type CommandTable = {
	id: string;
	box: string;
	name: string;
	/** JSON. */
	arguments: string;
	state: string;
	progress: number | null;
	/** JSON. */
	result: string | null;
	/** JSON of a reason. */
	error: string | null;
	actor: string;
	created_ms: number;
	deadline_ms: number;
	finished_ms: number | null;
	sent_count: Generated<number>;
	/** When it is sent again, if it is not answered before; null when it is final. */
	next_send_ms: number | null;
};

export type CommandTables = {
	desired: DesiredTable;
	update_body: UpdateBodyTable;
	order_key: OrderKeyTable;
	command: CommandTable;
};
