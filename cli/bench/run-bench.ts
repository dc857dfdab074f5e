import {fork} from 'node:child_process';
import {once} from 'node:events';
import {globSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {BenchMessage} from '#cli/bench/bench-process.ts';
import type {CliErrorCode} from '#cli/error-code.ts';
import type {BenchOptions, BenchRow} from '#test/bench/bench-row.ts';

const suffix = '.bench.ts';
const benchDirectory = fileURLToPath(new URL('../../test/bench', import.meta.url));

/** The benchmarks that there are, by name. */
export const benchNames = (): readonly string[] =>
	globSync(`*${suffix}`, {cwd: benchDirectory})
		.map((file) => file.slice(0, -suffix.length))
		.sort();

/** They boot machines, each of which takes minutes, and make their images as root. */
const onlyWhenNamed: ReadonlySet<string> = new Set(['boot', 'powercut']);

/** Those that run when none is named. */
export const defaultBenchNames = (): readonly string[] => benchNames().filter((name) => !onlyWhenNamed.has(name));

/** Runs one benchmark in a process of its own and answers its rows. */
export const runBench = async (
	name: string,
	{signal, progress, ...options}: BenchOptions,
): Promise<readonly BenchRow[]> => {
	const child = fork(
		fileURLToPath(new URL('bench-process.ts', import.meta.url)),
		[path.join(benchDirectory, `${name}${suffix}`), JSON.stringify(options)],
		{signal, stdio: ['ignore', 2, 2, 'ipc']},
	);
	let rows: readonly BenchRow[] | undefined;
	child.on('message', (message) => {
		const told = message as BenchMessage;
		if (told.kind === 'rows') {
			rows = told.rows;
		} else {
			progress(told.line);
		}
	});
	const [code, signalName] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
	if (rows === undefined) {
		throw new CodedError<CliErrorCode>('CLI_BENCH_FAILED', {
			message: `The benchmark ${name} ended (${signalName ?? `code ${code}`}) without a figure; the lines above say why.`,
		});
	}
	return rows;
};
