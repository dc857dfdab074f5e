import {existsSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {type Command, Option} from 'commander';
import {CodedError} from '#appliance/error/coded-error.ts';
import {exitCode} from '#appliance/process/exit-code.ts';
import type {Step} from '#cli/check/run-step.ts';
import {runSteps} from '#cli/check/run-steps.ts';
import {avaStep, defaultGroups, type GroupName, groupNames, type StepOptions, stepsOf} from '#cli/check/steps.ts';
import type {CliErrorCode} from '#cli/error-code.ts';
import {parseDurationMs} from '#cli/parse-duration.ts';
import {stopSignal} from '#cli/stop-signal.ts';
import {type Architecture, architectures} from '#image/make/recipe.ts';

const helpText = `
Parts: ${groupNames.join(', ')}; or a folder or file below test/.
Without a part: ${defaultGroups(process.env).join(', ')}. It stops at the first that fails.

Examples:
  $ ./streamverse test
  $ ./streamverse test lint types
  $ ./streamverse test stb/cache
  $ ./streamverse test fuzz --for 10m
  $ ./streamverse test peers      against other implementations of FLUTE, which it downloads
  # ./streamverse test image      boots boxes in QEMU; as root, because it makes their images
  # ./streamverse test image --arch arm64
  # STREAMVERSE_TEST_MATRIX=all ./streamverse test image   each release that does not come up, instead of one`;

/** CI gives a run 90 minutes, in which the machine is set up as well. */
const defaultMinutesMax = 76;

const root = fileURLToPath(new URL('../..', import.meta.url));

export const registerTestCommand = (program: Command): void => {
	program
		.command('test')
		.summary('see that it works: lint, types, native build, ctest, ava')
		.description('lint, types, native build with warnings as errors, ctest, ava; the last line counts')
		.argument('[parts...]', 'what to run')
		.option('--for <duration>', 'how long each fuzz target runs', parseDurationMs, 60_000)
		.addOption(new Option('--arch <arch>', 'of the boxes that are booted').choices(architectures).default('amd64'))
		.addHelpText('after', helpText)
		.action(async (parts: readonly string[], options: {readonly for: number; readonly arch: Architecture}) => {
			const partOptions = {root, fuzzSeconds: Math.ceil(options.for / 1000), architecture: options.arch};
			const steps = (parts.length === 0 ? defaultGroups(process.env) : parts).flatMap((part) =>
				stepsOfPart(part, partOptions),
			);
			const limit = parts.length === 0 ? {minutesMax: defaultMinutesMax} : {};
			const print = (text: string): void => void process.stdout.write(text);
			if (!(await runSteps(steps, {root, signal: stopSignal(), print, ...limit}))) {
				process.exitCode = exitCode.failure;
			}
		});
};

const isGroup = (name: string): name is GroupName => groupNames.some((group) => group === name);

const stepsOfPart = (part: string, options: StepOptions): readonly Step[] => {
	if (isGroup(part)) {
		return stepsOf(part, options);
	}
	const below = part.replace(/^test\//u, '').replace(/\/$/u, '');
	if (below.endsWith('.test.ts') && existsSync(path.join(root, 'test', below))) {
		return [avaStep([`test/${below}`])];
	}
	if (existsSync(path.join(root, 'test', below))) {
		return [avaStep([`test/${below}/**/*.test.ts`])];
	}
	throw new CodedError<CliErrorCode>('CLI_STEP_UNKNOWN', {
		message: `There is no part called ${part}; there are ${groupNames.join(', ')}, and the folders below test/.`,
	});
};
