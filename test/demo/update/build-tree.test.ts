import {execFile} from 'node:child_process';
import {readdir, readFile, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import test from 'ava';
import {buildTree} from '#demo/update/build-tree.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));
const timeout = 30_000;

test('a release tree has what runs on a box, without what builds and tests it', async (t) => {
	const directory = await withDirectory(t);
	await buildTree({directory, release: '7.8.9'});
	const files = (await readdir(directory, {recursive: true, withFileTypes: true}))
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
	t.deepEqual(
		files.filter((file) =>
			/\.(?:cpp|hpp|test\.ts|o|ninja|cmake|tsx)$|CMake|^test\/|^node_modules\/|^build\//u.test(file),
		),
		[],
	);
	for (const file of ['cli/main.ts', 'stb/main.ts', 'headend/main.ts', 'pop-node/main.ts']) {
		t.true(files.includes(file), file);
	}
	const addons = (await readdir(join(root, 'native'), {recursive: true})).filter((file) =>
		/^build\/addons\/.*\.node$/u.test(file),
	);
	t.true(addons.length > 0);
	t.deepEqual(
		addons.filter((file) => !files.includes(`native/${file}`)),
		[],
		'addons that are missing',
	);
});

test('a release tree runs by itself as its own release, and does first what was planted', async (t) => {
	const directory = await withDirectory(t);
	await symlink(join(root, 'node_modules'), join(directory, 'node_modules'));
	const tree = join(directory, 'slot-a');
	await buildTree({directory: tree, release: '7.8.9', plant: "process.stdout.write('planted\\n'); process.exit(3);"});
	t.is(JSON.parse(await readFile(join(tree, 'package.json'), 'utf8')).version, '7.8.9');
	const box = join(directory, 'box.yaml');
	await writeFile(box, 'version: 1\nbox: {id: a-box, kind: stb, stateDirectory: state}\n');
	const checked = await run(process.execPath, [join(tree, 'cli', 'main.ts'), 'config', 'check', box], {timeout});
	t.regex(checked.stdout, /\S/u);
	const ended = await t.throwsAsync<Error & {code: number; stdout: string}>(
		run(process.execPath, [join(tree, 'stb', 'main.ts'), '--config', box], {timeout}),
	);
	t.is(ended?.code, 3);
	t.is(ended?.stdout, 'planted\n');
});
