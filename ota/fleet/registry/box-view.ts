import type {Selectable} from 'kysely';
import {z} from 'zod';
import {boxKindSchema, deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {reasonSchema} from '#appliance/contract/fleet/release-schema.ts';
import {updatePhaseSchema} from '#appliance/contract/fleet/update-schema.ts';
import type {FilterFacts} from '#appliance/filter/filter-fields.ts';
import {type BoxSummary, boxHealths, boxPresences, tagSchema} from '#ota/contract/box-api.ts';
import type {BoxTable} from '#ota/fleet/store/registry-tables.ts';

export type BoxRow = Selectable<BoxTable>;

const tagsSchema = z.array(tagSchema);
const presenceSchema = z.enum(boxPresences);
const healthSchema = z.enum(boxHealths);

export const boxSummary = (row: BoxRow): BoxSummary => ({
	id: deviceIdSchema.parse(row.id),
	kind: boxKindSchema.parse(row.kind),
	site: row.site,
	tags: row.tags === '[]' ? [] : tagsSchema.parse(JSON.parse(row.tags)),
	model: row.model,
	serial: row.serial,
	release: row.release,
	presence: presenceSchema.parse(row.presence),
	lastSeenMs: row.last_seen_ms,
	health: healthSchema.parse(row.health),
	update: {
		phase: updatePhaseSchema.parse(row.update_phase),
		orderId: row.update_order,
		release: row.update_release,
		reason: row.update_reason === null ? null : reasonSchema.parse(JSON.parse(row.update_reason)),
	},
	timeZone: row.time_zone,
	enrolledMs: row.enrolled_ms,
	revokedMs: row.revoked_ms,
});

/** What the filter language is asked over, for one box. */
export const filterFacts = (row: BoxRow): FilterFacts => ({
	id: row.id,
	kind: row.kind,
	site: row.site ?? undefined,
	tags: tagsSchema.parse(JSON.parse(row.tags)),
	model: row.model,
	serial: row.serial,
	release: row.release,
	presence: row.presence,
	health: row.health,
	lastSeenMs: row.last_seen_ms ?? undefined,
	enrolledMs: row.enrolled_ms,
	update: row.update_phase,
	updateRelease: row.update_release ?? undefined,
	timeZone: row.time_zone,
});
