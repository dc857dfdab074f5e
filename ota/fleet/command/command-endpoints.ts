import {z} from 'zod';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {
	commandPageSchema,
	commandQuerySchema,
	commandRequestSchema,
	commandViewSchema,
} from '#ota/contract/command-api.ts';
import {notFound} from '#ota/fleet/api/api-error.ts';
import {type AnyEndpoint, endpoint} from '#ota/fleet/api/endpoint.ts';
import {decodeCursor, pageOfRows} from '#ota/fleet/api/page-cursor.ts';
import {checkCommand} from '#ota/fleet/command/check-command.ts';
import type {CommandDesk} from '#ota/fleet/command/command-desk.ts';
import {commandView} from '#ota/fleet/command/command-repository.ts';
import {requireBox} from '#ota/fleet/command/require-box.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

const cursorSchema = z.tuple([z.number(), z.string()]);

export const commandEndpoints = (context: {
	readonly database: FleetDatabase;
	readonly desk: CommandDesk;
}): readonly AnyEndpoint[] => [giveCommand(context), listCommands(context), readCommand(context)];

const giveCommand = ({database, desk}: Parameters<typeof commandEndpoints>[0]): AnyEndpoint =>
	endpoint({
		method: 'POST',
		path: '/boxes/{id}/commands',
		operationId: 'giveCommand',
		tag: 'commands',
		summary: 'Give one box a command. Signed, sent, and sent again until the box answers or the deadline passes.',
		role: 'operator',
		parameters: z.strictObject({id: deviceIdSchema}),
		body: commandRequestSchema,
		answer: commandViewSchema,
		auditBox: ({id}) => id,
		handle: async ({parameters, body, actor}) => {
			const given = checkCommand(body, actor);
			await requireBox(database, parameters.id);
			const command = await desk.give({
				box: parameters.id,
				name: body.name,
				arguments: given as never,
				timeoutMs: body.timeoutMs,
				actor: actor.name,
			});
			return {status: 202, body: command};
		},
	});

const listCommands = ({database}: Parameters<typeof commandEndpoints>[0]): AnyEndpoint =>
	endpoint({
		method: 'GET',
		path: '/commands',
		operationId: 'listCommands',
		tag: 'commands',
		summary: 'Commands and their answers, the newest first.',
		role: 'viewer',
		query: commandQuerySchema,
		answer: commandPageSchema,
		handle: async ({query: {cursor, limit, box}}) => {
			const after = decodeCursor(cursor, cursorSchema);
			let rows = database.selectFrom('command').selectAll();
			if (box !== undefined) {
				rows = rows.where('box', '=', box);
			}
			if (after !== undefined) {
				const [createdMs, id] = after;
				rows = rows.where((where) =>
					where.or([
						where('created_ms', '<', createdMs),
						where.and([where('created_ms', '=', createdMs), where('id', '<', id)]),
					]),
				);
			}
			const page = await rows
				.orderBy('created_ms', 'desc')
				.orderBy('id', 'desc')
				.limit(limit + 1)
				.execute();
			return {
				body: pageOfRows(page, {limit, toItem: commandView, cursorOf: (row) => [row.created_ms, row.id]}),
			};
		},
	});

const readCommand = ({database}: Parameters<typeof commandEndpoints>[0]): AnyEndpoint =>
	endpoint({
		method: 'GET',
		path: '/commands/{id}',
		operationId: 'readCommand',
		tag: 'commands',
		summary: 'One command and its answer.',
		role: 'viewer',
		parameters: z.strictObject({id: z.string().min(1).max(64)}),
		answer: commandViewSchema,
		handle: async ({parameters: {id}}) => {
			const row = await database.selectFrom('command').selectAll().where('id', '=', id).executeTakeFirst();
			if (row === undefined) {
				throw notFound('command');
			}
			return {body: commandView(row)};
		},
	});
