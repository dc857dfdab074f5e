import type {Generated} from 'kysely';

/** One box. Searchable facts have columns; the whole report is JSON beside them. */
export type BoxTable = {
	id: string;
	kind: string;
	site: string | null;
	/** JSON array of strings, sorted. */
	tags: Generated<string>;
	model: Generated<string>;
	serial: Generated<string>;
	release: Generated<string>;
	/** Sorts as semantic versioning does (release-sort-key.ts); null when the release is no version. */
	release_key: string | null;
	/** 'online' | 'offline' | 'never'. */
	presence: Generated<string>;
	presence_session: string | null;
	presence_ms: number | null;
	last_seen_ms: number | null;
	/** When it was found silent though it said to be online; null otherwise. */
	silent_ms: number | null;
	/** 'ok' | 'warning' | 'critical' | 'unknown'. */
	health: Generated<string>;
	/** What `health` is made of: the report alone, and the alarms that are raised. */
	report_health: Generated<string>;
	alarm_health: Generated<string>;
	update_phase: Generated<string>;
	update_order: string | null;
	update_release: string | null;
	update_release_key: string | null;
	/** JSON of a reason. */
	update_reason: string | null;
	/** When the box entered the phase: an older event that arrives late changes nothing. */
	update_since_ms: Generated<number>;
	time_zone: Generated<string>;
	reported_revision: Generated<number>;
	/** The last `desired` order that the fleet made for it, and what the box says it has kept. */
	desired_revision: Generated<number>;
	desired_kept: Generated<number>;
	enrolled_ms: number;
	revoked_ms: number | null;
	/** For If-Match: grows with each change by a person. */
	edit_version: Generated<number>;
};

/** The whole report, as last received; apart from `box`, so that a list reads narrow rows. */
export type BoxReportTable = {box: string; reported: string};

/** Alarms that a box has raised and not cleared. */
export type BoxAlarmTable = {box: string; alarm: string; severity: string; message: string; since_ms: number};

/** How far the spool of a box is in the database: what `acknowledged` tells. */
export type SpoolPositionTable = {
	box: string;
	epoch: string;
	telemetry: number;
	event: number;
};

/** Records that came before those that precede them: several servers share a box's messages. */
export type SpoolAheadTable = {box: string; topic: string; epoch: string; sequence: number; after_sequence: number};

/** What was refused at the door: who, which topic, why, how often. */
export type MalformedTable = {box: string; topic: string; reason: string; last_ms: number; count: number};

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
	box_report: BoxReportTable;
	box_alarm: BoxAlarmTable;
	spool_position: SpoolPositionTable;
	spool_ahead: SpoolAheadTable;
	malformed: MalformedTable;
	site: SiteTable;
	telemetry: TelemetryTable;
	box_event: BoxEventTable;
	server: ServerTable;
	lease: LeaseTable;
	counter: CounterTable;
};
