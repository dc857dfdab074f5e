import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {alarmRules} from '#appliance/diagnostics/probe/alarm-rule.ts';
import {alertRules} from '#ota/contract/alert-api.ts';
import {
	deadFiles,
	forbiddenNames,
	importsOf,
	longFiles,
	machinePaths,
	missingSources,
	openTasks,
	registryHosts,
	type SourceFile,
} from '#test/tidy/rules.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readmeLinesMax = 60;
const textual = /\.(?:tsx?|js|cpp|hpp|cmake|sh|css|html|json|md|ya?ml|txt|cfg)$|^[^.]*$/u;

/** What git tracks or would track: a file nobody has added yet is tidy, too. */
const files: readonly SourceFile[] = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
	cwd: root,
	encoding: 'utf8',
})
	.split('\n')
	.filter((file) => file !== '' && textual.test(path.basename(file)) && existsSync(path.join(root, file)))
	.map((file) => ({path: file, text: readFileSync(path.join(root, file), 'utf8')}));

const topFolders = [
	...new Set(files.filter((file) => file.path.includes('/')).map((file) => file.path.split('/')[0] ?? '')),
]
	.filter((folder) => !folder.startsWith('.'))
	.sort();

for (const folder of topFolders) {
	test(`${folder}/ has a README of at most a page`, (t) => {
		const readme = files.find((file) => file.path === `${folder}/README.md`);
		t.truthy(readme, `${folder}/README.md is missing`);
		t.true((readme?.text.split('\n').length ?? 0) <= readmeLinesMax + 1, `${folder}/README.md is longer than a page`);
	});
}

const finds = test.macro((t, rule: (all: readonly SourceFile[]) => readonly string[]) => {
	t.deepEqual(rule(files), []);
});

test('nothing is left to be done later', finds, openTasks);
test('no file is called utils, helpers, common, lib or misc', finds, forbiddenNames);
test('no file names a path of one machine', finds, machinePaths);
test('the lock file names no registry', finds, registryHosts);
test('no file of C++, shell or CSS is longer than 300 lines', finds, longFiles);
test('every test mirrors a source', finds, missingSources);
test('no TypeScript file is there that nobody imports', finds, deadFiles);

test('each native addon has one importer', (t) => {
	const importers = Map.groupBy(
		files
			// Tests of an image make files of such names, and load none.
			.filter((file) => file.path.endsWith('.ts') && !/^test\/(?:tidy|image)\//u.test(file.path))
			.flatMap((file) => importsOf(file).addons.map((addon) => ({addon, by: file.path}))),
		({addon}) => addon,
	);
	t.true(importers.size > 0, 'this rule finds no addon at all');
	for (const [addon, by] of importers) {
		t.is(by.length, 1, `${addon} is loaded by ${by.map((importer) => importer.by).join(', ')}`);
	}
});

test('every command that README.md shows is one', (t) => {
	const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
	const main = files
		.filter((file) => file.path.startsWith('cli/command/'))
		.map((file) => path.basename(file.path, '.ts'));
	const known = new Set([...main, 'headend', 'stb', 'pop-node']);
	const shown = [...readme.matchAll(/\.\/streamverse ([a-z-]+)/gu)].map(([, command]) => command ?? '');
	t.true(shown.includes('demo') && shown.includes('test'));
	t.deepEqual(
		shown.filter((command) => !known.has(command)),
		[],
	);
});

test('the NOC finds every alarm in its runbook', (t) => {
	const runbook = files.find((file) => file.path === 'ota/doc/noc-runbook.md')?.text ?? '';
	const names: ReadonlySet<string> = new Set([...alertRules, ...alarmRules.map(({alarm}) => alarm)]);
	t.deepEqual(
		[...names].filter((name) => !runbook.includes(`| \`${name}\` |`)),
		[],
	);
});
