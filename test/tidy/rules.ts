import path from 'node:path';

export type SourceFile = {
	/** Relative to the repository's root. */
	readonly path: string;
	readonly text: string;
};

const linesMax = 300;

/** `path:line` of every line that matches. */
const linesWith = (files: readonly SourceFile[], pattern: RegExp): readonly string[] =>
	files.flatMap((file) =>
		file.text.split('\n').flatMap((line, index) => (pattern.test(line) ? [`${file.path}:${index + 1}`] : [])),
	);

const isCode = ({path: file}: SourceFile): boolean => !file.endsWith('.md') && file !== 'package-lock.json';

/** The words are put together here, so that this file does not find itself. */
const openTask = new RegExp(`\\b(?:${['FIX' + 'ME', 'TO' + 'DO', 'X' + 'XX', 'HA' + 'CK'].join('|')})\\b`, 'u');
export const openTasks = (files: readonly SourceFile[]): readonly string[] => linesWith(files, openTask);

const forbidden = /(?:^|\/)(?:utils?|helpers|common|lib|misc|shared)(?:\/|\.[a-z]+$)/u;
/** An image's overlay has the paths of its target, whose names are not ours. */
const overlay = /^image\/profile\/[a-z-]+\/overlay\//u;
export const forbiddenNames = (files: readonly SourceFile[]): readonly string[] =>
	files.map((file) => file.path).filter((file) => forbidden.test(file) && !overlay.test(file));

const machinePath = new RegExp(`["'\`\\s=:(](?:/${'work'}/|/${'root'}/|/${'home'}/[a-z])`, 'u');
export const machinePaths = (files: readonly SourceFile[]): readonly string[] =>
	linesWith(
		files.filter((file) => file.path !== 'test/tidy/rules.ts'),
		machinePath,
	);

export const registryHosts = (files: readonly SourceFile[]): readonly string[] =>
	linesWith(
		files.filter((file) => file.path === 'package-lock.json'),
		/"resolved": "https?:/u,
	);

/** TypeScript's files and functions are the linter's. */
export const longFiles = (files: readonly SourceFile[]): readonly string[] =>
	files
		.filter((file) => /\.(?:cpp|hpp|sh|css|cmake)$|^streamverse$/u.test(file.path))
		.filter((file) => file.text.trimEnd().split('\n').length > linesMax)
		.map((file) => file.path);

/** These test a flow through several folders or the house itself, and mirror no one source. */
const unmirrored = /^test\/(?:flow|peers|machine|bench|helper|fake|tidy|vectors)\/|^test\/tidy\.test\.ts$/u;

/** A test lies where what it tests lies: `test/a/b.test.ts` tests `a/b.ts`, or an aspect of the folder `a`. */
export const missingSources = (files: readonly SourceFile[]): readonly string[] => {
	const folders = new Set(
		files.filter((file) => !file.path.startsWith('test/')).map((file) => path.dirname(file.path)),
	);
	return files
		.map((file) => file.path)
		.filter((file) => file.endsWith('.test.ts') && !unmirrored.test(file))
		.filter((file) => !folders.has(path.dirname(path.relative('test', file))));
};

export type Imports = {
	/** Repository paths of the project's own files. */
	readonly files: readonly string[];
	readonly addons: readonly string[];
};

const specifier = /(?:from\s*|import\s*\(?\s*|new URL\(\s*)['"]([^'"]+)['"]/gu;
const mentionedScript = /['"`/]([\w./-]+\.ts)['"`]/gu;

/** What a file imports, starts as a process or loads as an addon. */
export const importsOf = (file: SourceFile): Imports => {
	const resolve = (name: string): readonly string[] =>
		name.startsWith('#') ? [name.slice(1)] : [path.join(path.dirname(file.path), name), name];
	const names = [...file.text.matchAll(specifier), ...file.text.matchAll(mentionedScript)].map(
		([, name]) => name ?? '',
	);
	return {
		files: names.flatMap(resolve),
		addons: [...file.text.matchAll(/([\w-]+)\.node['"]|loadAddon(?:<[^(]*>)?\(['"]([\w-]+)['"]/gu)].map(
			([, byPath, byName]) => byPath ?? byName ?? '',
		),
	};
};

/** Nobody imports these, because Node, ava, a browser, the compiler or the bench command takes them. */
const startedByOthers = /(?:^|\/)main\.ts$|\.d\.ts$|\.test\.ts$|\.bench\.ts$|\/page\/[\w-]+\.ts$/u;

export const deadFiles = (files: readonly SourceFile[]): readonly string[] => {
	const code = files.filter(isCode);
	const imported = new Set(code.flatMap((file) => importsOf(file).files));
	return code
		.map((file) => file.path)
		.filter((file) => file.endsWith('.ts') && !startedByOthers.test(file) && !imported.has(file));
};
