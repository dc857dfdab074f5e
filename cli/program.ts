import {Command, CommanderError} from 'commander';
import {exitCode} from '#appliance/process/exit-code.ts';
import {exitCodeOf, printError} from '#cli/print-error.ts';

/** What the command line of a checkout and that of a technician's laptop have in common. */
export const createProgram = ({version, examples}: {readonly version: string; readonly examples: string}): Command =>
	new Command('streamverse')
		.description('StreamVerse Edge: from the headend over the satellite to the sofa')
		.version(version)
		.option('--verbose', 'print the cause and the stack of an error')
		.showHelpAfterError('(--help tells what is possible)')
		.exitOverride()
		.addHelpText('after', `\nBegin with:\n${examples}`);

/** Runs what the process was called with. A failure is printed and becomes the exit code. */
export const runProgram = async (program: Command): Promise<void> => {
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
};
