import {z} from 'zod';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {commandArguments} from '#appliance/contract/fleet/command-schema.ts';
import {accountRoles} from '#ota/contract/account-api.ts';
import {
	commandPageSchema,
	commandQuerySchema,
	commandRequestSchema,
	commandRoles,
	commandViewSchema,
} from '#ota/contract/command-api.ts';
import {apiError, notFound} from '#ota/fleet/api/api-error.ts';
import {type AnyEndpoint, endpoint} from '#ota/fleet/api/endpoint.ts';
import {decodeCursor, pageOfRows} from '#ota/fleet/api/page-cursor.ts';
import type {CommandDesk} from '#ota/fleet/command/command-desk.ts';
import {commandView} from '#ota/fleet/command/command-repository.ts';
import type {FleetErrorCode} from '#ota/fleet/fleet-error.ts';
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
			const least = commandRoles[body.name];
			if (accountRoles.indexOf(actor.role) < accountRoles.indexOf(least)) {
				throw apiError<FleetErrorCode>('OTA_NOT_ALLOWED', {
					status: 403,
					message: `The command ${body.name} needs the role ${least}.`,
				});
			}
			const given = commandArguments[body.name].safeParse(body.arguments);
			if (!given.success) {
				throw apiError<FleetErrorCode>('OTA_COMMAND_ARGUMENTS', {
					status: 400,
					message: `The arguments of ${body.name} are not right: ${z.prettifyError(given.error)}`,
				});
			}
			const box = await database
				.selectFrom('box')
				.select('revoked_ms')
				.where('id', '=', parameters.id)
				.executeTakeFirst();
			if (box === undefined || box.revoked_ms !== null) {
				throw notFound('box');
			}
			const command = await desk.give({
				box: parameters.id,
				name: body.name,
				arguments: given.data as never,
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
