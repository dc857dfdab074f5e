import type {DeviceId} from '#appliance/contract/box-schema.ts';
import type {CommandArguments, CommandName} from '#appliance/contract/fleet/command-schema.ts';
import type {CommandView} from '#ota/contract/command-api.ts';

/** Gives commands to boxes on behalf of somebody. What boxes answer comes by `writeIngest` and to `GET /commands/{id}`. */
export type CommandDesk = {
	/**
	 * Recorded, signed and sent; sent again with the same id until it is answered or its deadline passes. The caller has
	 * checked that the actor may.
	 */
	readonly give: <Name extends CommandName>(command: {
		readonly box: DeviceId;
		readonly name: Name;
		readonly arguments: CommandArguments<Name>;
		readonly timeoutMs: number;
		/** Who asks, as the audit log names them. */
		readonly actor: string;
		/** Made by the caller when it must be known before (an upload's name); default a new one. */
		readonly id?: string;
	}) => Promise<CommandView>;
};
