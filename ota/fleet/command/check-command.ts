import {z} from 'zod';
import {commandArguments} from '#appliance/contract/fleet/command-schema.ts';
import {accountRoles} from '#ota/contract/account-api.ts';
import {type CommandRequest, commandRoles} from '#ota/contract/command-api.ts';
import {apiError} from '#ota/fleet/api/api-error.ts';
import type {Actor} from '#ota/fleet/api/endpoint.ts';
import type {FleetErrorCode} from '#ota/fleet/fleet-error.ts';

/** Whether this person may give this command, and its arguments by the schema of its name; refuses otherwise. */
export const checkCommand = (command: Pick<CommandRequest, 'name' | 'arguments'>, actor: Actor): unknown => {
	const least = commandRoles[command.name];
	if (accountRoles.indexOf(actor.role) < accountRoles.indexOf(least)) {
		throw apiError<FleetErrorCode>('OTA_NOT_ALLOWED', {
			status: 403,
			message: `The command ${command.name} needs the role ${least}.`,
		});
	}
	const given = commandArguments[command.name].safeParse(command.arguments);
	if (!given.success) {
		throw apiError<FleetErrorCode>('OTA_COMMAND_ARGUMENTS', {
			status: 400,
			message: `The arguments of ${command.name} are not right: ${z.prettifyError(given.error)}`,
		});
	}
	return given.data;
};
