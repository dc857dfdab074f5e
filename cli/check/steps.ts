import {existsSync, globSync} from 'node:fs';
import path from 'node:path';
import {countAva, countCtest} from '#cli/check/count-tests.ts';
import {machineTests} from '#cli/check/machine-tests.ts';
import type {Step} from '#cli/check/run-step.ts';
import type {Architecture} from '#image/make/recipe.ts';
import {isOwnArchitecture} from '#image/make/target-code.ts';

/** The machines that run this have two cores, and the C++ of one file takes up to 1 GB to compile. */
const buildJobs = '2';
const ctestTimeoutSeconds = '300';
/** The emulator of processes has no SO_RXQ_OVFL, which that test needs. */
const emulatedCtest = ['--timeout', '3600', '--exclude-regex', '^packet_udp_test$'];
/** What a fuzz target may need beyond its time to read its corpus. */
const fuzzGraceSeconds = 120;

/** The parts of `./streamverse test`, in the order in which a mistake is found soonest. */
export const groupNames = ['lint', 'types', 'native', 'unit', 'sanitize', 'fuzz', 'peers', 'image'] as const;
export type GroupName = (typeof groupNames)[number];

const quickGroups: readonly GroupName[] = ['lint', 'types', 'native', 'unit'];

/**
 * What runs when nothing is named. `sanitize` and `fuzz` compile everything again, `peers` fetches other people's
 * implementations: these are run on their own. `image` boots machines, each of which takes minutes: with
 * `STREAMVERSE_TEST_MACHINES=true`, as CI has it, it is part of them, as far as the time goes.
 */
export const defaultGroups = (environment: Readonly<Record<string, string | undefined>>): readonly GroupName[] =>
	environment['STREAMVERSE_TEST_MACHINES'] === 'true' ? [...quickGroups, 'image'] : quickGroups;

export type StepOptions = {
	readonly root: string;
	/** How long each fuzz target runs. */
	readonly fuzzSeconds: number;
	/** Of the boxes that `image` boots. */
	readonly architecture: Architecture;
};

export const stepsOf = (group: GroupName, options: StepOptions): readonly Step[] => {
	switch (group) {
		case 'lint':
			return [
				{name: 'lint', command: 'biome', args: ['ci', '--error-on-warnings', '--colors=off'], quiet: true},
				formatStep(options.root),
			];
		case 'types':
			return ['.', 'stb/page', 'headend/page', 'appliance/commission/page', 'ota/console']
				.filter((project) => existsSync(path.join(options.root, project, 'tsconfig.json')))
				.map((project) => ({name: `types ${project}`, command: 'tsc', args: ['--project', project]}));
		case 'native':
			return [
				{name: 'native build', command: 'cmake-js', args: ['compile', '--directory', 'native'], quiet: true},
				ctestStep('native/build'),
			];
		case 'unit':
			return [avaStep(['test/*.test.ts', 'test/!(peers|machine)/**/*.test.ts'])];
		case 'sanitize':
			return sanitizeSteps();
		case 'fuzz':
			return fuzzSteps(options);
		case 'peers':
			return [
				{name: 'peers installation', command: 'test/peers/prepare.sh', args: []},
				avaStep(['test/peers/**/*.test.ts']),
			];
		case 'image':
			return [...machineSteps(options.architecture), ...emulatedSteps(options.architecture)];
	}
};

/** The tests of one folder or file below test/, for somebody who works on it. */
export const avaStep = (patterns: readonly string[]): Step => ({
	name: 'ava',
	command: 'ava',
	args: patterns,
	count: countAva,
});

/**
 * A machine takes both cores for itself, and says nothing for minutes. Of the releases that do not come up, which take minutes
 * each, one is tried; `STREAMVERSE_TEST_MATRIX=all` has the others tried as well (half an hour more on two quiet cores).
 */
const machineSteps = (architecture: Architecture): readonly Step[] =>
	machineTests
		.filter(({ofEachArchitecture}) => architecture === 'amd64' || ofEachArchitecture)
		.map(({file, minutes}) => ({
			...avaStep(['--concurrency=1', '--timeout=60m', `test/machine/${file}.test.ts`]),
			name: `machine ${file}`,
			minutes,
			environment: {STREAMVERSE_TEST_ARCHITECTURE: architecture},
		}));

/** The C++ tests of an architecture that is not this machine's, in an emulator; building its images left the build there. */
const emulatedSteps = (architecture: Architecture): readonly Step[] => {
	const directory = `native/build-${architecture}`;
	return isOwnArchitecture(architecture)
		? []
		: [
				{
					name: `native build for ${architecture}`,
					command: 'cmake',
					args: ['--build', directory, '--parallel', buildJobs],
					quiet: true,
				},
				ctestStep(directory, {args: emulatedCtest}),
			];
};

const formatStep = (root: string): Step => ({
	name: 'C++ format',
	command: 'clang-format',
	args: ['--dry-run', '--Werror', ...cppFiles(root)],
	quiet: true,
});

const cppFiles = (root: string): readonly string[] =>
	globSync('native/*/**/*.{cpp,hpp}', {cwd: root, exclude: ['native/build*/**']});

const ctestStep = (
	directory: string,
	{
		environment = {},
		args = ['--timeout', ctestTimeoutSeconds],
	}: {readonly environment?: Readonly<Record<string, string>>; readonly args?: readonly string[]} = {},
): Step => ({
	name: `ctest ${directory}`,
	command: 'ctest',
	args: ['--test-dir', directory, '--output-on-failure', ...args],
	environment,
	count: countCtest,
});

const sanitizerOptions = {
	// Node itself leaves a few bytes behind at exit; C++ tests are checked for leaks, which they must not have.
	// Freed memory is held back only a little: the tests look at how much the process needs.
	node: 'detect_leaks=0:abort_on_error=0:quarantine_size_mb=16',
	ctest: 'detect_leaks=1',
};

/**
 * The same C++ with AddressSanitizer and UndefinedBehaviorSanitizer: first by its own tests, then under Node by the
 * tests of test/native, which load that build because the wrapper asks STREAMVERSE_NATIVE_BUILD where the addons are.
 */
const sanitizeSteps = (): readonly Step[] => [
	{
		name: 'native build with sanitizers',
		command: 'cmake-js',
		args: ['compile', '--directory', 'native', '--out', 'native/build-sanitize', '--CDNATIVE_SANITIZE=ON'],
		quiet: true,
	},
	ctestStep('native/build-sanitize', {
		environment: {ASAN_OPTIONS: sanitizerOptions.ctest, UBSAN_OPTIONS: 'print_stacktrace=1'},
	}),
	{
		name: 'ava with sanitizers',
		command: 'sh',
		args: ['-c', 'LD_PRELOAD=$(gcc -print-file-name=libasan.so) exec ava "test/native/**/*.test.ts"'],
		environment: {
			ASAN_OPTIONS: sanitizerOptions.node,
			STREAMVERSE_NATIVE_BUILD: 'build-sanitize',
		},
		count: countAva,
	},
];

const fuzzSteps = ({fuzzSeconds}: StepOptions): readonly Step[] => [
	{
		name: 'fuzz configuration',
		command: 'cmake',
		args: [
			...['-S', 'native', '-B', 'native/build-fuzz', '-G', 'Ninja', '-DCMAKE_CXX_COMPILER=clang++'],
			...['-DNATIVE_FUZZ=ON', '-DNATIVE_SANITIZE=ON', `-DNATIVE_FUZZ_SECONDS=${fuzzSeconds}`],
		],
		quiet: true,
	},
	{
		name: 'fuzz build',
		command: 'cmake',
		args: ['--build', 'native/build-fuzz', '--target', 'fuzzers', '--parallel', buildJobs],
		quiet: true,
	},
	{
		name: `fuzz, each target ${fuzzSeconds} s`,
		command: 'ctest',
		args: [
			...['--test-dir', 'native/build-fuzz', '--label-regex', 'fuzz', '--output-on-failure', '--no-tests=error'],
			...['--timeout', String(fuzzSeconds + fuzzGraceSeconds)],
		],
		count: countCtest,
	},
];
