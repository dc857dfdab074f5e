import type {SpoolPlace, SpoolTopic} from '#ota/fleet/ingest/incoming.ts';

/** How far one box's spool is in the database. */
export type SpoolPosition = {readonly epoch: string; readonly telemetry: number; readonly event: number};

/** Records beyond the position that are in the database already: each sequence, and the one that it comes after. */
export type SpoolAhead = Readonly<Record<SpoolTopic, ReadonlyMap<number, number>>>;

export type SpoolAdvance = {
	readonly position: SpoolPosition;
	/** For each place given, whether it is new to the database. */
	readonly fresh: readonly boolean[];
	readonly ahead: SpoolAhead;
};

/** A box that sends ever new records beyond a hole is wrong; they are not kept in mind without end. */
export const aheadMax = 1000;

/**
 * Where a spool stands after these records. A record is taken when the one before it is at or below the position (the
 * box forgets everything up to what is acknowledged, so nothing may be jumped that it still keeps); what arrives beyond a
 * hole, because another server has the record before it, is kept in mind until the hole is filled.
 */
export const advanceSpool = (
	state: {readonly position: SpoolPosition | undefined; readonly ahead: SpoolAhead},
	places: readonly SpoolPlace[],
): SpoolAdvance => {
	let position = state.position ?? {epoch: places[0]?.epoch ?? '', telemetry: 0, event: 0};
	let ahead = {telemetry: new Map(state.ahead.telemetry), event: new Map(state.ahead.event)};
	const fresh: boolean[] = [];
	for (const {topic, epoch, sequence, after} of places) {
		if (epoch !== position.epoch) {
			// The spool was lost and begun anew. Rows have the epoch in their key, so a late record of the old one does no harm.
			position = {epoch, telemetry: 0, event: 0};
			ahead = {telemetry: new Map(), event: new Map()};
		}
		const isNew = sequence > position[topic] && !ahead[topic].has(sequence);
		fresh.push(isNew);
		const known = ahead[topic].get(sequence);
		const isKept = known !== undefined || after <= position[topic] || ahead[topic].size < aheadMax;
		if (sequence > position[topic] && isKept) {
			// Sent again, it may come after an earlier one than before: what was between was forgotten.
			ahead[topic].set(sequence, Math.min(after, known ?? after));
		}
	}
	return {
		position: {
			...position,
			telemetry: settle(position.telemetry, ahead.telemetry),
			event: settle(position.event, ahead.event),
		},
		fresh,
		ahead,
	};
};

/** Takes what follows, as far as it goes, and forgets what lies below. */
const settle = (from: number, ahead: Map<number, number>): number => {
	let position = from;
	for (const [sequence, after] of [...ahead].sort(([a], [b]) => a - b)) {
		if (after <= position) {
			position = Math.max(position, sequence);
			ahead.delete(sequence);
		}
	}
	return position;
};
