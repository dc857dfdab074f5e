import type {Generated} from 'kysely';

/** One box. Searchable facts have columns; the whole report is JSON beside them. */
export type BoxTable = {
	id: string;
	kind: string;
	site: string | null;
	/** JSON array of strings, sorted. */
	tags: string;
	model: string;
	serial: string;
	release: string;
	/** 'online' | 'offline' | 'never'. */
	presence: string;
	presence_session: string | null;
	presence_ms: number | null;
	last_seen_ms: number | null;
	/** 'ok' | 'warning' | 'critical' | 'unknown'. */
	health: string;
	update_phase: string;
	update_order: string | null;
	update_release: string | null;
	update_reason: string | null;
	time_zone: string;
	/** JSON: boxDetail's `reported`, as last received; null before the first. */
	reported: string | null;
	reported_revision: number;
	/** The last `desired` order that the fleet made for it, and what the box says it has kept. */
	desired_revision: number;
	desired_kept: number;
	enrolled_ms: number;
	revoked_ms: number | null;
	/** For If-Match: grows with each change by a person. */
	edit_version: Generated<number>;
};

/** How far the spool of a box is in the database: what `acknowledged` tells. */
export type SpoolPositionTable = {
	box: string;
	epoch: string;
	telemetry: number;
	event: number;
};

export type SiteTable = {
	id: string;
	name: string;
	latitude: number;
	longitude: number;
	time_zone: string;
	/** JSON array of maintenance windows; null = none. */
	windows: string | null;
	edit_version: Generated<number>;
};

/** Samples as they came, one row per sample; old ones are thinned and then deleted. */
export type TelemetryTable = {
	box: string;
	at_ms: number;
	/** JSON object: metric name to number. */
	metrics: string;
};

export type BoxEventTable = {
	box: string;
	epoch: string;
	sequence: number;
	at_ms: number;
	received_ms: number;
	severity: string;
	kind: string;
	/** JSON. */
	data: string;
};

/** The servers that share the work; one that stops renewing is gone, and the others take over what it held. */
export type ServerTable = {id: string; started_ms: number; renewed_ms: number; url: string};

/** One holder at a time for work that must not be done twice at once. */
export type LeaseTable = {name: string; holder: string; expires_ms: number};

/** Named sequences that only grow: `order` is the fleet's order revision. */
export type CounterTable = {name: string; value: number};

export type RegistryTables = {
	box: BoxTable;
	spool_position: SpoolPositionTable;
	site: SiteTable;
	telemetry: TelemetryTable;
	box_event: BoxEventTable;
	server: ServerTable;
	lease: LeaseTable;
	counter: CounterTable;
};
