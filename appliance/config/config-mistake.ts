import type {z} from 'zod';

/** One thing that is wrong with a box's file, told so that a person finds it. */
export type ConfigMistake = {
	/** Dotted path of the key, for example `supervisor.listen.port`; empty for the file as a whole. */
	readonly path: string;
	/** 1-based; absent where the key does not stand in the file. */
	readonly line?: number | undefined;
	readonly message: string;
};

export type ConfigPath = readonly (string | number)[];

const textOf = (path: ConfigPath): string =>
	path.reduce<string>(
		(text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`),
		'',
	);

const keysOnly = (path: readonly PropertyKey[]): ConfigPath =>
	path.map((part) => (typeof part === 'symbol' ? String(part) : part));

/**
 * One mistake per wrong key. An unknown key is its own mistake at its own line, because zod tells several of them as one
 * issue of the section that holds them.
 */
export const mistakesOf = (
	error: z.ZodError,
	options: {readonly below: ConfigPath; readonly lineOf: (path: ConfigPath) => number | undefined},
): readonly ConfigMistake[] =>
	error.issues.flatMap((issue) => {
		const path = [...options.below, ...keysOnly(issue.path)];
		if (issue.code === 'unrecognized_keys') {
			return issue.keys.map((key) => unknownKey([...path, key], options.lineOf));
		}
		const missing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined');
		return [{path: textOf(path), line: options.lineOf(path), message: missing ? 'is missing' : issue.message}];
	});

export const unknownKey = (path: ConfigPath, lineOf: (path: ConfigPath) => number | undefined): ConfigMistake => ({
	path: textOf(path),
	line: lineOf(path),
	message: 'is not a known key',
});

/** `box.yaml:12: supervisor.listen.port: Too big …`, one per line. */
export const formatMistakes = (filePath: string, mistakes: readonly ConfigMistake[]): string =>
	mistakes
		.map(({path, line, message}) =>
			[line === undefined ? filePath : `${filePath}:${line}`, path, message].filter((part) => part !== '').join(': '),
		)
		.join('\n');
