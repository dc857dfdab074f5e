import {z} from 'zod';
import {type Reason, reasonSchema} from '#appliance/contract/fleet/release-schema.ts';
import {updatePhaseSchema} from '#appliance/contract/fleet/update-schema.ts';
import {
	groupStates,
	type RolloutSpec,
	type RolloutState,
	rolloutBoxStates,
	rolloutCreateSchema,
	rolloutStates,
} from '#ota/contract/rollout-api.ts';
import type {BoxProgress} from '#ota/fleet/rollout/judge-status.ts';
import type {RolloutBoxTable, RolloutTable} from '#ota/fleet/store/rollout-tables.ts';

/** States in which nothing more is planned. */
export const endedStates = ['finished', 'aborted', 'rejected'] as const satisfies readonly RolloutState[];

const stateSchema = z.enum(rolloutStates);
const boxStateSchema = z.enum(rolloutBoxStates);
export const groupStateSchema = z.enum(groupStates);
export const actSchema = z.object({by: z.string(), atMs: z.number(), note: z.string()});

export const parseSpec = ({spec}: {readonly spec: string}): RolloutSpec => rolloutCreateSchema.parse(JSON.parse(spec));

export const parseState = ({state}: Pick<RolloutTable, 'state'>): RolloutState => stateSchema.parse(state);

export const parseReason = (text: string | null): Reason | null =>
	text === null ? null : reasonSchema.parse(JSON.parse(text));

export const formatReason = (reason: Reason | null): string | null => (reason === null ? null : JSON.stringify(reason));

export const parseProgress = (
	row: Pick<RolloutBoxTable, 'state' | 'phase' | 'reason' | 'next_ms'> & {
		readonly attempt: number;
		readonly since_ms: number;
	},
): BoxProgress => ({
	state: boxStateSchema.parse(row.state),
	phase: row.phase === null ? null : updatePhaseSchema.parse(row.phase),
	attempt: row.attempt,
	reason: parseReason(row.reason),
	sinceMs: row.since_ms,
	nextMs: row.next_ms,
});
