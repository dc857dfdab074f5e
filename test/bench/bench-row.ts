import type {benchReferences} from '#cli/bench/bench-references.ts';

/**
 * One measured figure of `./streamverse bench`. A figure is always beside a reference that the same run measured, so that
 * a slow machine or a busy one does not make a promise look broken. A row with a `bar` is a promise.
 */
export type BenchRow = {
	readonly name: string;
	readonly value: number;
	readonly unit: string;
	/** What the ratio is against, in words. */
	readonly reference?: string;
	/** value of ours / value of the reference; more is better unless the name says otherwise. */
	readonly ratio?: number;
	/** The least ratio (or, without a ratio, the bound that `pass` was judged by). */
	readonly bar?: number;
	readonly pass?: boolean;
};

/**
 * What may be said to a benchmark: to one that repeats something at random how often, and with which numbers; to one that
 * compares itself with somebody else's program which, so that it is installed where it is not.
 */
export const benchOptions = ['n', 'seed', 'reference'] as const;
export type BenchOption = (typeof benchOptions)[number];

export type BenchChoices = {
	readonly n?: number;
	readonly seed?: number;
	readonly reference?: (typeof benchReferences)[number];
};

export type BenchOptions = BenchChoices & {
	readonly signal: AbortSignal;
	/** One line for people about what is being measured; never part of the JSON. */
	readonly progress: (line: string) => void;
};

/** Every `test/bench/<name>.bench.ts` exports this as `run`, and as `takes` the options that it takes. */
export type Bench = (options: BenchOptions) => Promise<readonly BenchRow[]>;
