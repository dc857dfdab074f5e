import {writeFile} from 'node:fs/promises';
import type {Command} from 'commander';
import {CodedError} from '#appliance/error/coded-error.ts';
import {exitCode} from '#appliance/process/exit-code.ts';
import {formatRows, missedBars} from '#cli/bench/format-rows.ts';
import {benchNames, runBench} from '#cli/bench/run-bench.ts';
import type {CliErrorCode} from '#cli/error-code.ts';
import {stopSignal} from '#cli/stop-signal.ts';
import type {BenchRow} from '#test/bench/bench-row.ts';

export const registerBenchCommand = (program: Command): void => {
	program
		.command('bench')
		.summary('measure: each figure beside a reference of the same run')
		.description('measure; a row with a bar is a promise, and a missed one makes the exit code 1')
		.argument('[name]', `one of: ${benchNames().join(', ')}`)
		.option('--json <file>', 'write the rows as a JSON array; - is standard output')
		.addHelpText('after', '\nExamples:\n  $ ./streamverse bench\n  $ ./streamverse bench fec --json fec.json')
		.action(async (name: string | undefined, {json}: {readonly json?: string}) => {
			const signal = stopSignal();
			const rows: BenchRow[] = [];
			for (const bench of chooseBenches(name)) {
				process.stderr.write(`${bench} …\n`);
				rows.push(...(await runBench(bench, {signal, progress: (line) => process.stderr.write(`  ${line}\n`)})));
			}
			await report(rows, json);
			const missed = missedBars(rows);
			if (missed.length > 0) {
				process.stderr.write(`missed: ${missed.map((row) => row.name).join(', ')}\n`);
				process.exitCode = exitCode.failure;
			}
		});
};

const chooseBenches = (name: string | undefined): readonly string[] => {
	const names = benchNames();
	if (name === undefined) {
		return names;
	}
	if (!names.includes(name)) {
		throw new CodedError<CliErrorCode>('CLI_BENCH_UNKNOWN', {
			message: `There is no benchmark called ${name}; there are ${names.join(', ')}.`,
		});
	}
	return [name];
};

const report = async (rows: readonly BenchRow[], json: string | undefined): Promise<void> => {
	const text = `${JSON.stringify(rows, undefined, '\t')}\n`;
	if (json === '-') {
		process.stdout.write(text);
		return;
	}
	process.stdout.write(`${formatRows(rows)}\n`);
	if (json !== undefined) {
		await writeFile(json, text);
	}
};
