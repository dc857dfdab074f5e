import {chmod, cp, mkdir, rm, writeFile} from 'node:fs/promises';
import {isBuiltin} from 'node:module';
import path from 'node:path';
import {type Plugin, rolldown} from 'rolldown';
import {stringify} from 'yaml';
import {npmFiles} from '#appliance/http/page-assets.ts';
import type {Architecture, Recipe} from '#image/make/recipe.ts';
import {addonsDirectory, nodeNameOf} from '#image/make/target-code.ts';
import {projectRoot} from '#native/project-root.ts';

/** Packages that carry machine code: they are taken as they are, the parts that run. */
const packagesKept = (architecture: Architecture): Readonly<Record<string, readonly string[]>> => {
	const name = nodeNameOf(architecture);
	return {
		'better-sqlite3': ['package.json', 'lib', `prebuilds/${name}.node`],
		'@lydell/node-pty': ['.'],
		[`@lydell/node-pty-${name}`]: ['.'],
	};
};

const pageFolders = ['appliance/page', 'appliance/commission/page', 'stb/page', 'headend/page'];

/**
 * Our software as it lies in /usr/lib/streamverse: JavaScript for each process (`bundleProcess`), the native addons beside it,
 * and the pages. Two runs on one commit give the same bytes.
 */
export const bundleSoftware = async (options: {
	readonly recipe: Recipe;
	readonly release: string;
	readonly directory: string;
	/** The Node of the target. */
	readonly nodePath: string;
	/** Folders of packages that are not this machine's own, by their names. */
	readonly packages: Readonly<Record<string, string>>;
}): Promise<void> => {
	const {recipe, release, directory, nodePath, packages} = options;
	await rm(directory, {recursive: true, force: true});
	await mkdir(path.join(directory, 'bin'), {recursive: true});
	const kept = packagesKept(recipe.architecture);
	const entries: Readonly<Record<string, string>> = {
		supervisor: 'image/process/supervisor.ts',
		'first-boot': 'image/process/first-boot.ts',
		'take-sticks': 'image/process/take-sticks.ts',
		elevate: 'image/process/elevate.ts',
		identify: 'image/process/identify.ts',
		anchor: 'image/process/anchor.ts',
		role: `${recipe.kind}/main.ts`,
	};
	for (const [name, entry] of Object.entries(entries)) {
		await bundleProcess(path.join(projectRoot, entry), path.join(directory, `${name}.js`), {
			kept: Object.keys(kept),
			format: 'esm',
		});
	}
	await copyBeside(directory, {kept, packages, addons: addonsDirectory(recipe.architecture)});
	await cp(nodePath, path.join(directory, 'bin/node'), {dereference: true});
	await chmod(path.join(directory, 'bin/node'), 0o755);
	await writeFile(path.join(directory, 'package.json'), `${JSON.stringify({type: 'module', version: release})}\n`);
	await writeFile(path.join(directory, 'box.yaml'), stringify(recipe.boxFile));
};

/**
 * One file of JavaScript of all that an entry imports, but for the packages that are kept as they are. A module of Node's is
 * split at its dynamic imports: what is loaded later lies in a folder of the entry's name beside it.
 */
export const bundleProcess = async (
	input: string,
	file: string,
	{kept, format}: {readonly kept: readonly string[]; readonly format: 'esm' | 'cjs'},
): Promise<void> => {
	const bundle = await rolldown({
		cwd: projectRoot,
		input,
		platform: 'node',
		// Only packages that say so themselves use eval, and only in what their authors call legacy.
		checks: {eval: false},
		external: [/\.node$/u, ...kept.map((name) => new RegExp(`^${name}(?:/|$)`, 'u'))],
		logLevel: 'warn',
		plugins: format === 'esm' ? [nodeModulesUnread] : [],
	});
	try {
		// V8 keeps a source in memory for as long as its process runs: two bytes a character where one is not of Latin-1. Names
		// and lines stay, for who reads the stack of an error.
		const minify = {compress: false, mangle: false, codegen: {removeWhitespace: false, asciiOnly: true}};
		const shape = {format, comments: false, minify};
		if (format === 'cjs') {
			await bundle.write({...shape, file, codeSplitting: false});
			return;
		}
		const name = path.basename(file, '.js');
		await bundle.write({
			...{...shape, dir: path.dirname(file), entryFileNames: path.basename(file)},
			// No hash: an update of one would be one of all that import it.
			chunkFileNames: `${name}/[name].js`,
		});
	} finally {
		await bundle.close();
	}
};

/**
 * Node's own modules as CommonJS has them. An `import` of one reads each of its properties at once, and those of `node:http` load
 * the whole of undici: a quarter of the time in which one of our processes is loaded.
 */
const nodeModulesUnread: Plugin = {
	name: 'node-modules-unread',
	// What Rolldown itself imports, it imports before anything that this makes.
	resolveId: (id, importer) => (isBuiltin(id) && importer?.startsWith('\0') === false ? {id: `\0${id}`} : undefined),
	load: (id) =>
		isBuiltin(id.slice(1)) && id.startsWith('\0')
			? {code: `module.exports = process.getBuiltinModule(${JSON.stringify(id.slice(1))});`, moduleType: 'js'}
			: undefined,
};

const copyBeside = async (
	directory: string,
	options: {
		readonly kept: Readonly<Record<string, readonly string[]>>;
		readonly packages: Readonly<Record<string, string>>;
		readonly addons: string;
	},
): Promise<void> => {
	const {kept, packages, addons} = options;
	await cp(addons, path.join(directory, 'native/build/addons'), {
		recursive: true,
		filter: (source) => source === addons || source.endsWith('.node'),
	});
	for (const folder of pageFolders) {
		await cp(path.join(projectRoot, folder), path.join(directory, folder), {recursive: true});
	}
	for (const file of Object.values(npmFiles)) {
		await cp(path.join(projectRoot, 'node_modules', file), path.join(directory, 'node_modules', file));
	}
	for (const [name, parts] of Object.entries(kept)) {
		const from = packages[name] ?? path.join(projectRoot, 'node_modules', name);
		for (const part of parts) {
			const to = path.join(directory, 'node_modules', name, part);
			await cp(path.join(from, part), to, {recursive: true, dereference: true});
		}
	}
};
