import {mkdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import type {Command} from 'commander';
import {hasCode} from '#appliance/error/coded-error.ts';
import {exitCode} from '#appliance/process/exit-code.ts';

const directory = fileURLToPath(new URL('../../appliance/contract/fleet', import.meta.url));

const exampleText = `
Examples:
  $ ./streamverse contract            # after a change of a schema in appliance/contract/fleet
  $ ./streamverse contract --check    # exit code 1 when a generated file is stale`;

/** Generates AsyncAPI and JSON Schemas from the schemas of the contract between boxes and their fleet. */
export const registerContractCommand = (program: Command): void => {
	program
		.command('contract')
		.description('write AsyncAPI 3 and JSON Schemas of the link between boxes and their fleet')
		.option('--check', 'write nothing; tell what is stale')
		.addHelpText('after', exampleText)
		.action(async ({check = false}: {readonly check?: boolean}) => {
			const {contractFiles} = await import('#appliance/contract/fleet/asyncapi-document.ts');
			const stale: string[] = [];
			for (const [name, text] of contractFiles()) {
				const file = path.join(directory, name);
				if ((await readIfThere(file)) === text) {
					continue;
				}
				stale.push(name);
				if (!check) {
					await mkdir(path.dirname(file), {recursive: true});
					await writeFile(file, text);
				}
			}
			for (const name of stale) {
				process.stdout.write(`${check ? 'stale' : 'written'}: appliance/contract/fleet/${name}\n`);
			}
			if (stale.length === 0) {
				process.stdout.write('all of it is as the schemas say\n');
			}
			process.exitCode = check && stale.length > 0 ? exitCode.failure : exitCode.success;
		});
};

const readIfThere = async (file: string): Promise<string | undefined> => {
	try {
		return await readFile(file, 'utf8');
	} catch (error) {
		if (hasCode(error, 'ENOENT')) {
			return undefined;
		}
		throw error;
	}
};
