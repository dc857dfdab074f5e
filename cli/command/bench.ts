import {writeFile} from 'node:fs/promises';
import {type Command, InvalidArgumentError, Option} from 'commander';
import {CodedError} from '#appliance/error/coded-error.ts';
import {exitCode} from '#appliance/process/exit-code.ts';
import {benchReferences} from '#cli/bench/bench-references.ts';
import {formatRows, missedBars} from '#cli/bench/format-rows.ts';
import {benchNames, defaultBenchNames, runBench} from '#cli/bench/run-bench.ts';
import type {CliErrorCode} from '#cli/error-code.ts';
import {stopSignal} from '#cli/stop-signal.ts';
import type {BenchChoices, BenchRow} from '#test/bench/bench-row.ts';

type BenchFlags = BenchChoices & {readonly json?: string};

export const registerBenchCommand = (program: Command): void => {
	program
		.command('bench')
		.summary('measure: each figure beside a reference of the same run')
		.description('measure; a row with a bar is a promise, and a missed one makes the exit code 1')
		.argument('[name]', `one of: ${benchNames().join(', ')}; default: ${defaultBenchNames().join(', ')}`)
		.option('--n <count>', 'how often, for a benchmark that repeats something at random', parseCount)
		.option('--seed <number>', 'of its random numbers, so that a run can be repeated', parseCount)
		.addOption(
			new Option('--reference <program>', 'that a benchmark compares with: it is installed from Debian').choices(
				benchReferences,
			),
		)
		.option('--json <file>', 'write the rows as a JSON array; - is standard output')
		.addHelpText(
			'after',
			'\nExamples:\n  $ ./streamverse bench\n  $ ./streamverse bench fec --json fec.json\n  $ ./streamverse bench modem --reference gnuradio\n  # ./streamverse bench powercut --n 200      boots boxes in QEMU; as root, because it makes their images',
		)
		.action(async (name: string | undefined, {json, ...options}: BenchFlags) => {
			const signal = stopSignal();
			const rows: BenchRow[] = [];
			for (const bench of chooseBenches(name)) {
				process.stderr.write(`${bench} …\n`);
				rows.push(
					...(await runBench(bench, {...options, signal, progress: (line) => process.stderr.write(`  ${line}\n`)})),
				);
			}
			await report(rows, json);
			const missed = missedBars(rows);
			if (missed.length > 0) {
				process.stderr.write(`missed: ${missed.map((row) => row.name).join(', ')}\n`);
				process.exitCode = exitCode.failure;
			}
		});
};

const parseCount = (text: string): number => {
	if (!/^\d{1,10}$/u.test(text)) {
		throw new InvalidArgumentError('A whole number is expected.');
	}
	return Number(text);
};

const chooseBenches = (name: string | undefined): readonly string[] => {
	const names = benchNames();
	if (name === undefined) {
		return defaultBenchNames();
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
