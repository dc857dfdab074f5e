import {mkdir, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {loadRecipe} from '#image/make/recipe.ts';
import {requireTools} from '#image/make/require-tools.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const common = [
	'mmdebstrap',
	'mkfs.erofs',
	'veritysetup',
	'sbsign',
	'faketime',
	'mcopy',
	'sgdisk',
	'bmaptool',
	'rauc',
	'cpio',
	'zstd',
];
const foreign = process.arch === 'arm64' ? 'amd64' : 'arm64';
const own = foreign === 'arm64' ? 'amd64' : 'arm64';

const withMachine = async (t: ExecutionContext, programs: readonly string[]) => {
	const directory = await withDirectory(t);
	const emulatorDirectory = path.join(directory, 'binfmt');
	await mkdir(emulatorDirectory);
	for (const name of programs) {
		await writeFile(path.join(directory, name), '');
	}
	await writeFile(path.join(emulatorDirectory, foreign === 'arm64' ? 'qemu-aarch64' : 'qemu-x86_64'), 'enabled\n');
	return {folders: ['/nowhere', directory], emulatorDirectory, userId: 0};
};

test('an image of this machine’s architecture needs neither a cross-compiler nor an emulator', async (t) => {
	const recipe = loadRecipe('stb', own);
	const machine = await withMachine(t, [...common, recipe.boot.objcopy]);
	await rm(machine.emulatorDirectory, {recursive: true});
	t.notThrows(() => requireTools(recipe, machine));
	t.throws(() => requireTools(recipe, {...machine, userId: 1000}), {code: 'IMAGE_NEEDS_ROOT'});
	t.throws(() => requireTools(recipe, {...machine, folders: []}), {
		code: 'IMAGE_TOOL_MISSING',
		message: /mmdebstrap, .*rauc.*apt-packages\.txt/u,
	});
});

test('one of another architecture needs both, and is told what gives them', async (t) => {
	const recipe = loadRecipe('stb', foreign);
	const cross = ['aarch64-linux-gnu-g++', 'cmake', 'ninja'];
	const whole = await withMachine(t, [...common, recipe.boot.objcopy, ...cross]);
	t.notThrows(() => requireTools(recipe, whole));
	const bare = await withMachine(t, common);
	t.throws(() => requireTools(recipe, bare), {
		code: 'IMAGE_TOOL_MISSING',
		message: new RegExp(`missing: .*${recipe.boot.objcopy}, .*cmake.*apt-packages-${foreign}\\.txt`, 'u'),
	});
	await rm(whole.emulatorDirectory, {recursive: true});
	t.throws(() => requireTools(recipe, whole), {
		code: 'IMAGE_TOOL_MISSING',
		message: /does not run programs for .*mount -t binfmt_misc.*update-binfmts --enable/u,
	});
});
