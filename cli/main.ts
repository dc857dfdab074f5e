import {readFileSync} from 'node:fs';
import {Command, CommanderError} from 'commander';
import {boxKinds} from '#appliance/contract/box-schema.ts';
import {exitCode} from '#appliance/process/exit-code.ts';
import {registerBenchCommand} from '#cli/command/bench.ts';
import {registerCatalogueCommand} from '#cli/command/catalogue.ts';
import {registerConfigCommand} from '#cli/command/config.ts';
import {registerContractCommand} from '#cli/command/contract.ts';
import {registerDemoCommand} from '#cli/command/demo.ts';
import {registerFlashCommand} from '#cli/command/flash.ts';
import {registerFleetCommand} from '#cli/command/fleet.ts';
import {registerImageCommand} from '#cli/command/image.ts';
import {registerReleaseCommand} from '#cli/command/release.ts';
import {registerRoleCommand} from '#cli/command/role.ts';
import {registerSupervisorCommand} from '#cli/command/supervisor.ts';
import {registerTestCommand} from '#cli/command/test.ts';
import {exitCodeOf, printError} from '#cli/print-error.ts';

const {version} = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {version: string};

const program = new Command('streamverse')
	.description('StreamVerse Edge: from the headend over the satellite to the sofa')
	.version(version)
	.option('--verbose', 'print the cause and the stack of an error')
	.showHelpAfterError('(--help tells what is possible)')
	.exitOverride()
	.addHelpText(
		'after',
		'\nBegin with:\n  $ ./streamverse demo          # watch it work\n  $ ./streamverse test          # see that it works',
	);

registerDemoCommand(program);
registerTestCommand(program);
registerBenchCommand(program);
registerSupervisorCommand(program);
registerFleetCommand(program);
for (const kind of boxKinds) {
	registerRoleCommand(program, kind);
}
registerCatalogueCommand(program);
registerConfigCommand(program);
registerReleaseCommand(program);
registerImageCommand(program);
registerFlashCommand(program);
registerContractCommand(program);

try {
	await program.parseAsync();
} catch (error) {
	if (error instanceof CommanderError) {
		// Commander has printed it; its own codes for a wrong call are all 1.
		process.exitCode = error.exitCode === 0 ? exitCode.success : exitCode.usage;
	} else {
		printError(error, {verbose: program.opts<{verbose?: boolean}>().verbose === true});
		process.exitCode = exitCodeOf(error);
	}
}
