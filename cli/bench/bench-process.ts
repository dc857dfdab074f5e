import {pathToFileURL} from 'node:url';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {CliErrorCode} from '#cli/error-code.ts';
import {type Bench, type BenchChoices, type BenchOption, type BenchRow, benchOptions} from '#test/bench/bench-row.ts';

/** What the process of one benchmark tells the command that started it. */
export type BenchMessage =
	| {readonly kind: 'progress'; readonly line: string}
	| {readonly kind: 'rows'; readonly rows: readonly BenchRow[]};

const tell = (message: BenchMessage): Promise<void> =>
	new Promise((resolve, reject) => {
		process.send?.(message, undefined, undefined, (error: Error | null) => (error ? reject(error) : resolve()));
	});

/** Each benchmark has a process of its own, so that one's heap, threads and sockets are no part of another's figures. */
const main = async (benchPath: string, optionsText: string): Promise<void> => {
	const controller = new AbortController();
	process.once('SIGTERM', () => controller.abort());
	process.once('disconnect', () => controller.abort());
	const options = JSON.parse(optionsText) as BenchChoices;
	const {run, takes = []} = (await import(pathToFileURL(benchPath).href)) as {
		readonly run: Bench;
		readonly takes?: readonly BenchOption[];
	};
	const refused = benchOptions.find((name) => options[name] !== undefined && !takes.includes(name));
	if (refused !== undefined) {
		throw new CodedError<CliErrorCode>('CLI_BENCH_OPTION', {message: `This benchmark takes no --${refused}.`});
	}
	const progress = (line: string): void => void tell({kind: 'progress', line});
	const rows = await run({...options, signal: controller.signal, progress});
	await tell({kind: 'rows', rows});
	process.exit(0);
};

await main(process.argv[2] ?? '', process.argv[3] ?? '{}');
