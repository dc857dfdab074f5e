import {pathToFileURL} from 'node:url';
import type {Command} from 'commander';
import type {BoxKind} from '#appliance/contract/box-schema.ts';

const descriptions: Readonly<Record<BoxKind, string>> = {
	headend: 'run a headend: catalogue, schedule, carousel and uplink',
	stb: 'run a set-top box: receive, repair, cache and serve',
	'pop-node': 'run a pop-node: keep the catalogue and answer repairs',
};

/**
 * `headend`, `stb` and `pop-node`: this process becomes the role, as its supervisor would start it, but alone: nobody
 * restarts it. For development; a box runs `supervisor`.
 */
export const registerRoleCommand = (program: Command, kind: BoxKind): void => {
	program
		.command(kind)
		.summary(descriptions[kind])
		.description(`${descriptions[kind]}, in the foreground and without a supervisor`)
		.requiredOption('--config <file>', "the box's YAML file")
		.addHelpText('after', `\nExample:\n  $ ./streamverse ${kind} --config ${kind}.yaml`)
		.action(async ({config}: {readonly config: string}) => {
			const {roleMainPath} = await import('#cli/role/role-table.ts');
			const mainPath = roleMainPath(kind);
			process.argv = [process.execPath, mainPath, '--config', config];
			await import(pathToFileURL(mainPath).href);
		});
};
