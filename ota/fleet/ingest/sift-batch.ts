import type {DeviceId} from '#appliance/contract/box-schema.ts';
import type {IngestBatch} from '#ota/fleet/fleet-part.ts';
import {advanceSpool} from '#ota/fleet/ingest/advance-spool.ts';
import {applyPresence, applyReported, applyUpdate, applyWord, type BoxRow} from '#ota/fleet/ingest/apply-to-box.ts';
import {type Incoming, spoolPlace} from '#ota/fleet/ingest/incoming.ts';
import type {SpoolState} from '#ota/fleet/ingest/ingest-store.ts';

type Mutable<Lists> = {-readonly [Name in keyof Lists]: Lists[Name] extends readonly (infer Item)[] ? Item[] : never};

export type Sifted = {
	/** What is new, for the tables and for the parts. */
	readonly batch: IngestBatch;
	/** Rows that messages changed. */
	readonly changed: ReadonlyMap<string, BoxRow>;
	readonly spools: ReadonlyMap<string, {readonly before: SpoolState | undefined; readonly after: SpoolState}>;
	readonly malformed: readonly Extract<Incoming, {kind: 'malformed'}>[];
	readonly counts: {readonly duplicates: number; readonly unknown: number; readonly stale: number};
};

const noAhead = {telemetry: new Map<number, number>(), event: new Map<number, number>()};

/** What of these messages is new, and what the boxes are after them. Pure: the rows come from the transaction. */
export const siftBatch = (options: {
	readonly messages: readonly Incoming[];
	readonly boxes: ReadonlyMap<string, BoxRow>;
	readonly spools: ReadonlyMap<string, SpoolState>;
	readonly nowMs: number;
}): Sifted => {
	const {boxes, nowMs} = options;
	const batch: Mutable<IngestBatch> = {presence: [], reported: [], telemetry: [], events: [], replies: []};
	const changed = new Map<string, BoxRow>();
	const malformed: Extract<Incoming, {kind: 'malformed'}>[] = [];
	const counts = {duplicates: 0, unknown: 0, stale: 0};
	const known = options.messages.filter(({box}) => boxes.has(box));
	counts.unknown = options.messages.length - known.length;
	const {fresh, spools} = siftSpools(known, options.spools);

	for (const message of known) {
		const {box} = message;
		const row = changed.get(box) ?? boxes.get(box);
		if (row === undefined || fresh.get(message) === false) {
			counts.duplicates += 1;
			continue;
		}
		const next = apply(row, message, nowMs);
		if (next === undefined) {
			counts.stale += 1;
			continue;
		}
		if (next !== row) {
			changed.set(box, next);
		}
		addTo(batch, malformed, message);
	}
	batch.events.sort((a, b) => (a.box === b.box ? a.event.sequence - b.event.sequence : 0));
	return {batch, changed, spools, malformed, counts};
};

/** Undefined for a message that an earlier one has made worthless. */
const apply = (row: BoxRow, message: Incoming, nowMs: number): BoxRow | undefined => {
	switch (message.kind) {
		case 'presence':
			return applyPresence(row, message.presence);
		case 'reported':
			return message.reported.revision > row.reported_revision
				? applyReported(row, message.reported, nowMs)
				: undefined;
		case 'event': {
			const {event} = message.event;
			return event.kind === 'update' && event.data.sinceMs >= row.update_since_ms
				? applyUpdate(applyWord(row), event.data)
				: applyWord(row);
		}
		case 'telemetry':
		case 'reply':
			return applyWord(row);
		case 'malformed':
			return row;
	}
};

const addTo = (
	batch: Mutable<IngestBatch>,
	malformed: Extract<Incoming, {kind: 'malformed'}>[],
	message: Incoming,
): void => {
	switch (message.kind) {
		case 'presence':
			batch.presence.push({box: message.box, presence: message.presence});
			break;
		case 'reported':
			batch.reported.push({box: message.box, reported: message.reported});
			break;
		case 'telemetry':
			batch.telemetry.push({box: message.box, telemetry: message.telemetry});
			break;
		case 'event':
			batch.events.push({box: message.box, event: message.event});
			break;
		case 'reply':
			batch.replies.push({box: message.box, reply: message.reply});
			break;
		case 'malformed':
			malformed.push(message);
			break;
	}
};

const siftSpools = (
	messages: readonly Incoming[],
	before: ReadonlyMap<string, SpoolState>,
): {readonly fresh: ReadonlyMap<Incoming, boolean>; readonly spools: Sifted['spools']} => {
	const ofBox = new Map<DeviceId, Incoming[]>();
	for (const message of messages) {
		if (spoolPlace(message) !== undefined) {
			const list = ofBox.get(message.box);
			if (list === undefined) {
				ofBox.set(message.box, [message]);
			} else {
				list.push(message);
			}
		}
	}
	const fresh = new Map<Incoming, boolean>();
	const spools = new Map<string, {before: SpoolState | undefined; after: SpoolState}>();
	for (const [box, list] of ofBox) {
		const state = before.get(box);
		const advance = advanceSpool(
			state ?? {position: undefined, ahead: noAhead},
			list.flatMap((message) => spoolPlace(message) ?? []),
		);
		for (const [index, message] of list.entries()) {
			fresh.set(message, advance.fresh[index] ?? false);
		}
		spools.set(box, {before: state, after: advance});
	}
	return {fresh, spools};
};
