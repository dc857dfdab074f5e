import type {Selectable, Transaction} from 'kysely';
import {z} from 'zod';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import type {CommandName, Reply} from '#appliance/contract/fleet/command-schema.ts';
import {reasonSchema} from '#appliance/contract/fleet/release-schema.ts';
import {type CommandView, commandViewSchema, finalCommandStates} from '#ota/contract/command-api.ts';
import type {CommandTable} from '#ota/fleet/store/command-tables.ts';
import type {FleetDatabase, FleetTables} from '#ota/fleet/store/fleet-database.ts';

export type CommandRow = Selectable<CommandTable>;

export const commandView = (row: CommandRow): CommandView =>
	commandViewSchema.parse({
		id: row.id,
		box: deviceIdSchema.parse(row.box),
		name: row.name,
		arguments: JSON.parse(row.arguments),
		state: row.state,
		progress: row.progress,
		result: row.result === null ? null : JSON.parse(row.result),
		error: row.error === null ? null : reasonSchema.parse(JSON.parse(row.error)),
		actor: row.actor,
		createdMs: row.created_ms,
		deadlineMs: row.deadline_ms,
		finishedMs: row.finished_ms,
	});

export const insertCommand = (
	database: FleetDatabase,
	command: {
		readonly id: string;
		readonly box: string;
		readonly name: CommandName;
		readonly arguments: unknown;
		readonly actor: string;
		readonly createdMs: number;
		readonly deadlineMs: number;
		readonly nextSendMs: number;
	},
): Promise<CommandRow> =>
	database
		.insertInto('command')
		.values({
			id: command.id,
			box: command.box,
			name: command.name,
			arguments: JSON.stringify(command.arguments),
			state: 'waiting',
			actor: command.actor,
			created_ms: command.createdMs,
			deadline_ms: command.deadlineMs,
			next_send_ms: command.nextSendMs,
		})
		.returningAll()
		.executeTakeFirstOrThrow();

const isFinal = (state: string): boolean => (finalCommandStates as readonly string[]).includes(state);
const jsonSchema = z.json();

/** What a box answered. A final answer stays; an answer about another box's command is none. */
export const writeReply = async (
	transaction: Transaction<FleetTables>,
	box: string,
	reply: Reply,
	nowMs: number,
): Promise<void> => {
	const final = isFinal(reply.state);
	await transaction
		.updateTable('command')
		.set({
			state: reply.state,
			progress: reply.progress ?? null,
			result: reply.result === undefined ? null : JSON.stringify(jsonSchema.parse(reply.result)),
			error: reply.error === undefined ? null : JSON.stringify(reply.error),
			finished_ms: final ? nowMs : null,
			next_send_ms: null,
		})
		.where('id', '=', reply.id)
		.where('box', '=', box)
		.where('state', 'not in', [...finalCommandStates])
		.execute();
};

/** Commands whose deadline passed unanswered, or was passed after `accepted`. */
export const expireCommands = async (database: FleetDatabase, nowMs: number): Promise<readonly string[]> => {
	const rows = await database
		.updateTable('command')
		.set({
			state: 'expired',
			finished_ms: nowMs,
			next_send_ms: null,
			error: JSON.stringify({code: 'OTA_COMMAND_EXPIRED', message: 'The box did not answer before the deadline.'}),
		})
		.where('state', 'not in', [...finalCommandStates])
		.where('deadline_ms', '<', nowMs)
		.returning('id')
		.execute();
	return rows.map(({id}) => id);
};
