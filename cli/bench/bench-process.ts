import {pathToFileURL} from 'node:url';
import type {Bench, BenchRow} from '#test/bench/bench-row.ts';

/** What the process of one benchmark tells the command that started it. */
export type BenchMessage =
	| {readonly kind: 'progress'; readonly line: string}
	| {readonly kind: 'rows'; readonly rows: readonly BenchRow[]};

const tell = (message: BenchMessage): Promise<void> =>
	new Promise((resolve, reject) => {
		process.send?.(message, undefined, undefined, (error: Error | null) => (error ? reject(error) : resolve()));
	});

/** Each benchmark has a process of its own, so that one's heap, threads and sockets are no part of another's figures. */
const main = async (benchPath: string): Promise<void> => {
	const controller = new AbortController();
	process.once('SIGTERM', () => controller.abort());
	process.once('disconnect', () => controller.abort());
	const {run} = (await import(pathToFileURL(benchPath).href)) as {readonly run: Bench};
	const rows = await run({signal: controller.signal, progress: (line) => void tell({kind: 'progress', line})});
	await tell({kind: 'rows', rows});
	process.exit(0);
};

await main(process.argv[2] ?? '');
