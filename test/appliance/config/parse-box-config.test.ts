import test from 'ava';
import {z} from 'zod';
import type {ConfigMistake} from '#appliance/config/config-mistake.ts';
import {configBytesMax, parseBoxConfig} from '#appliance/config/parse-box-config.ts';
import {CodedError} from '#appliance/error/coded-error.ts';

const sectionSchema = z.strictObject({
	budgetBytes: z.int().min(1).default(10),
	sessions: z.array(z.strictObject({port: z.int()})).default([]),
});

const parse = (text: string) =>
	parseBoxConfig({text, filePath: '/etc/box.yaml', kind: 'stb', sectionSchemaOf: () => sectionSchema});

const head = 'version: 1\nbox: {id: box-1, kind: stb, stateDirectory: state}\n';

const mistakesOfText = (text: string): readonly ConfigMistake[] => {
	try {
		parse(text);
	} catch (error) {
		if (error instanceof CodedError && error.code === 'APPLIANCE_CONFIG_INVALID') {
			return error.details['mistakes'] as readonly ConfigMistake[];
		}
		throw error;
	}
	return [];
};

test('a file with nothing but the box gets every default', (t) => {
	const config = parse(`${head}stb:\n`);
	t.deepEqual(config.role, {budgetBytes: 10, sessions: []});
	t.is(config.supervisor.listen.port, 8079);
	t.is(config.log.level, 'info');
});

test('a relative state directory is meant from where the file lies', (t) => {
	t.is(parse(head).box.stateDirectory, '/etc/state');
});

const tells = test.macro((t, text: string, expected: readonly (readonly [string, number | undefined, RegExp])[]) => {
	const mistakes = mistakesOfText(text);
	t.deepEqual(
		mistakes.map(({path, line}) => [path, line]),
		expected.map(([path, line]) => [path, line]),
	);
	for (const [index, [, , message]] of expected.entries()) {
		t.regex(mistakes[index]?.message ?? '', message);
	}
});

test('an unknown key at the top is told with its line', tells, `${head}tuner: {}\n`, [['tuner', 3, /not a known key/]]);
test("another kind's section is an unknown key", tells, `${head}headend: {}\n`, [['headend', 3, /not a known key/]]);
test('two unknown keys of one section are two mistakes', tells, `${head}stb:\n  a: 1\n  b: 2\n`, [
	['stb.a', 4, /not a known key/],
	['stb.b', 5, /not a known key/],
]);
test('a wrong value in the section is told with its path and line', tells, `${head}stb:\n  budgetBytes: 0\n`, [
	['stb.budgetBytes', 4, /Too small/],
]);
test('an item of a list has its index', tells, `${head}stb:\n  sessions:\n    - port: 1\n    - port: x\n`, [
	['stb.sessions[1].port', 6, /expected number/],
]);
test('a missing key has no line', tells, 'version: 1\nbox: {id: box-1, kind: stb}\n', [
	['box.stateDirectory', undefined, /is missing/],
]);
test(
	'the file of another kind of box is refused',
	tells,
	'version: 1\nbox: {id: b-1, kind: headend, stateDirectory: s}\n',
	[['box.kind', 2, /is headend, but this process runs a stb/]],
);
test('a version from the future is refused', tells, head.replace('version: 1', 'version: 2'), [
	['version', 1, /expected 1/],
]);
test('a key that stands twice is told at the second', tells, `${head}log: {}\nlog: {}\n`, [['', 4, /unique/]]);
test('broken YAML is told with its line', tells, `${head}stb: {a: [\n`, [
	['', 4, /./],
	['', 4, /./],
]);
test('an empty file is told what it must hold', tells, '', [
	['version', undefined, /expected 1/],
	['box', undefined, /is missing/],
]);
test('a list instead of a mapping is refused', tells, '- 1\n', [['', undefined, /expected object/]]);
test(
	'mistakes of every section are told at once',
	tells,
	`${head.replace('box-1', 'B')}log: {level: loud}\nstb: {x: 1}\n`,
	[
		['box.id', 2, /a-z/],
		['log.level', 3, /Invalid option/],
		['stb.x', 4, /not a known key/],
	],
);
test('a key named after an object’s inheritance is only a key', tells, `${head}__proto__: {}\nconstructor: 1\n`, [
	['__proto__', 3, /not a known key/],
	['constructor', 4, /not a known key/],
]);

test('a file that is longer than any box’s is refused before it is parsed', (t) => {
	t.regex(mistakesOfText(`${head}#${'x'.repeat(configBytesMax)}`)[0]?.message ?? '', /longer than/);
});

test('aliases that multiply are refused', (t) => {
	const levels = Array.from({length: 12}, (_, level) => `a${level + 1}: &a${level + 1} [${`*a${level},`.repeat(9)}]`);
	t.regex(mistakesOfText(`a0: &a0 [x]\n${levels.join('\n')}\n`)[0]?.message ?? '', /alias/i);
});

test('nesting without end is refused and does not crash', (t) => {
	t.true(mistakesOfText(`${head}stb: ${'['.repeat(100_000)}`).length > 0);
});
