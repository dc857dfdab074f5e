import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {CliErrorCode} from '#cli/error-code.ts';

/** One command of `./streamverse test`. */
export type Step = {
	readonly name: string;
	readonly command: string;
	readonly args: readonly string[];
	readonly environment?: Readonly<Record<string, string>>;
	/** Its output tells numbers of its own; any other step counts as one check. */
	readonly count?: (output: string) => Tally;
	/** Shown only when it fails: a build's progress says nothing to the reader of a test run. */
	readonly quiet?: boolean;
	/** What it takes, where that is long: a run with a limit does not begin what would not end within it. */
	readonly minutes?: number;
};

export type Tally = {
	readonly passed: number;
	readonly failed: number;
	/** What failed, where the output names it. */
	readonly failures?: readonly string[];
};

/** Enough for the summary at the end, and for the errors of a compiler. */
const outputTailCharactersMax = 200_000;

/** Runs a step in the checkout's root, passes its output on, and counts. */
export const runStep = async (
	step: Step,
	{root, signal, print}: {readonly root: string; readonly signal: AbortSignal; readonly print: (text: string) => void},
): Promise<Tally & {readonly ok: boolean}> => {
	const child = spawn(step.command, step.args, {
		cwd: root,
		env: {...process.env, ...step.environment},
		stdio: ['ignore', 'pipe', 'pipe'],
		signal,
		killSignal: 'SIGTERM',
	});
	let output = '';
	for (const stream of [child.stdout, child.stderr]) {
		stream.setEncoding('utf8');
		stream.on('data', (text: string) => {
			output = (output + text).slice(-outputTailCharactersMax);
			if (!step.quiet) {
				print(text);
			}
		});
	}
	const code = await exitOf(step, child, signal);
	const ok = code === 0;
	if (!ok && step.quiet) {
		print(output);
	}
	const tally = step.count?.(output) ?? {passed: ok ? 1 : 0, failed: 0};
	return {...tally, ok, failed: ok ? tally.failed : Math.max(1, tally.failed)};
};

const exitOf = async (step: Step, child: ReturnType<typeof spawn>, signal: AbortSignal): Promise<number | null> => {
	try {
		const [code] = (await once(child, 'close')) as [number | null];
		return code;
	} catch (error) {
		throw new CodedError<CliErrorCode>('CLI_STEP_FAILED', {
			message: signal.aborted
				? `The step ${step.name} was stopped.`
				: `The step ${step.name} could not run ${step.command}.`,
			cause: error,
		});
	}
};
