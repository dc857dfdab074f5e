import test from 'ava';
import {
	deadFiles,
	forbiddenNames,
	importsOf,
	longFiles,
	machinePaths,
	missingSources,
	openTasks,
} from '#test/tidy/rules.ts';

const file = (path: string, text = '') => ({path, text});

test('a task for later is found by its line', (t) => {
	t.deepEqual(openTasks([file('a.ts', `ok\n// ${'TO' + 'DO'}: later`)]), ['a.ts:2']);
});

test('a drawer is found by its name, as a folder and as a file', (t) => {
	t.deepEqual(forbiddenNames([file('stb/utils/a.ts'), file('stb/helpers.ts'), file('stb/helper-note.ts')]), [
		'stb/utils/a.ts',
		'stb/helpers.ts',
	]);
});

test('a path of one machine is found', (t) => {
	t.deepEqual(machinePaths([file('a.ts', `open('/${'root'}/x')`), file('b.ts', "open('/tmp/root/x')")]), ['a.ts:1']);
});

test('a long C++ file is found', (t) => {
	t.deepEqual(longFiles([file('a.cpp', 'x\n'.repeat(301)), file('b.cpp', 'x\n'.repeat(300))]), ['a.cpp']);
});

test('a test in a folder that mirrors none is found', (t) => {
	const files = ['stb/cache/a.ts', 'test/stb/cache/crash.test.ts', 'test/stb/cask/a.test.ts', 'test/flow/b.test.ts'];
	t.deepEqual(missingSources(files.map((path) => file(path))), ['test/stb/cask/a.test.ts']);
});

test('a file that nobody imports is found', (t) => {
	const files = [
		file(
			'cli/main.ts',
			"import {a} from '#stb/a.ts';\nawait import('./b.ts');\nnew Worker(new URL('w.ts', import.meta.url));",
		),
		...['stb/a.ts', 'cli/b.ts', 'cli/w.ts', 'stb/dead.ts'].map((path) => file(path)),
	];
	t.deepEqual(deadFiles(files), ['stb/dead.ts']);
});

test('an addon is found by its path and by its name', (t) => {
	t.deepEqual(importsOf(file('native/a.ts', "require('../build/addons/fec.node'); loadAddon<Fec>('packet')")).addons, [
		'fec',
		'packet',
	]);
});
