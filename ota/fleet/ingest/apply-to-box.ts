import type {Selectable} from 'kysely';
import type {Presence} from '#appliance/contract/fleet/presence-schema.ts';
import type {Reported} from '#appliance/contract/fleet/reported-schema.ts';
import type {UpdateStatus} from '#appliance/contract/fleet/update-schema.ts';
import {reportHealth} from '#ota/fleet/ingest/box-health.ts';
import {releaseSortKey} from '#ota/fleet/registry/release-sort-key.ts';
import type {BoxTable} from '#ota/fleet/store/registry-tables.ts';

export type BoxRow = Selectable<BoxTable>;

/**
 * The box as the message leaves it; undefined when the message is an old one. A session that has ended does not come
 * back, and the will of one that was replaced says nothing about its successor.
 */
export const applyPresence = (row: BoxRow, presence: Presence): BoxRow | undefined => {
	const isSameSession = row.presence_session === presence.sessionId;
	const isStale =
		presence.state === 'online'
			? isSameSession && row.presence === 'offline'
			: !isSameSession && presence.sinceMs < (row.presence_ms ?? 0);
	if (isStale || (isSameSession && row.presence === presence.state)) {
		return undefined;
	}
	return {
		...row,
		presence: presence.state,
		presence_session: presence.sessionId,
		presence_ms: presence.sinceMs,
		silent_ms: null,
	};
};

/** A word of a box that was found silent: it is there after all. What the broker retained is no such word. */
export const applyWord = (row: BoxRow): BoxRow =>
	row.silent_ms === null ? row : {...row, presence: 'online', silent_ms: null};

export const applyReported = (row: BoxRow, reported: Reported, nowMs: number): BoxRow => ({
	...applyUpdate(row, reported.update),
	kind: reported.kind,
	model: reported.hardware.model,
	serial: reported.hardware.serial ?? '',
	release: reported.release,
	release_key: releaseSortKey(reported.release),
	time_zone: reported.timeZone,
	report_health: reportHealth(reported, nowMs),
	reported_revision: reported.revision,
	desired_kept: reported.desiredRevision,
});

export const applyUpdate = (row: BoxRow, update: UpdateStatus): BoxRow => ({
	...row,
	update_phase: update.phase,
	update_order: update.orderId ?? null,
	update_release: update.release ?? null,
	update_release_key: update.release === undefined ? null : releaseSortKey(update.release),
	update_reason: update.reason === undefined ? null : JSON.stringify(update.reason),
	update_since_ms: update.sinceMs,
});
