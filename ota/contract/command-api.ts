import {z} from 'zod';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {type CommandName, commandArguments, commandNameSchema} from '#appliance/contract/fleet/command-schema.ts';
import {reasonSchema} from '#appliance/contract/fleet/release-schema.ts';
import {pageOf, pageQuerySchema} from '#ota/contract/page-api.ts';

/** `waiting`: sent, and again at each connection, until the box answers. `expired`: the deadline passed unanswered. */
export const commandStates = ['waiting', 'accepted', 'progress', 'done', 'failed', 'refused', 'expired'] as const;
export type CommandState = (typeof commandStates)[number];
export const finalCommandStates = ['done', 'failed', 'refused', 'expired'] as const satisfies readonly CommandState[];

/** The least role that may give each command; `open-stream` has endpoints of its own (diagnostics-api.ts). */
export const commandRoles = {
	'read-signal': 'operator',
	ping: 'operator',
	identify: 'operator',
	'collect-diagnostics': 'operator',
	'set-log-level': 'operator',
	'speed-test': 'operator',
	'reload-config': 'operator',
	'restart-service': 'operator',
	'purge-cache': 'operator',
	reboot: 'operator',
	/** What it takes may hold what a subscriber watched. */
	'capture-packets': 'admin',
	'open-stream': 'admin',
} as const satisfies Record<CommandName, 'operator' | 'approver' | 'admin'>;

export const commandTimeoutMsMax = 3_600_000;

/** POST /boxes/{id}/commands (operator; some need admin). Answered 202 with the command as it was sent. */
export const commandRequestSchema = z.strictObject({
	/** What uploads goes by POST /boxes/{id}/diagnostics, which says where to; a stream by its WebSocket. */
	name: commandNameSchema.exclude(['open-stream', 'collect-diagnostics', 'capture-packets']),
	/** By the schema of the name: `commandArguments[name]`. */
	arguments: z.json().default({}),
	timeoutMs: z.int().min(1000).max(commandTimeoutMsMax).default(30_000),
});
export type CommandRequest = z.output<typeof commandRequestSchema>;

/** GET /commands/{id}. */
export const commandViewSchema = z.object({
	id: z.string(),
	box: deviceIdSchema,
	name: commandNameSchema,
	arguments: z.json(),
	state: z.enum(commandStates),
	progress: z.number().nullable(),
	result: z.json(),
	error: reasonSchema.nullable(),
	/** Who asked. */
	actor: z.string(),
	createdMs: z.int(),
	deadlineMs: z.int(),
	finishedMs: z.int().nullable(),
});
export type CommandView = z.infer<typeof commandViewSchema>;

/** GET /commands: the newest first. */
export const commandQuerySchema = pageQuerySchema.extend({box: deviceIdSchema.optional()});
export const commandPageSchema = pageOf(commandViewSchema);

/** For forms and the OpenAPI document. */
export const commandArgumentSchemas = commandArguments;
