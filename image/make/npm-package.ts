import {execFile} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, readFileSync} from 'node:fs';
import {readFile, rename} from 'node:fs/promises';
import path from 'node:path';
import {promisify} from 'node:util';
import {z} from 'zod';
import {CodedError, errorMessage} from '#appliance/error/coded-error.ts';
import type {ImageErrorCode} from '#image/error-code.ts';
import {keepOnce} from '#image/make/keep-once.ts';
import {projectRoot} from '#native/project-root.ts';

const run = promisify(execFile);
/** For 50 MB from a registry. */
const fetchTimeoutMs = 300_000;
const outputBytesMax = 16 * 1024 * 1024;

export type NpmPackage = {readonly name: string; readonly version: string};

/**
 * The folder of a package that carries machine code: the installed one, or, because npm installs nothing that is for another
 * machine, one that is fetched once into the cache and is what the lock file says, if that knows of it.
 * @throws CodedError IMAGE_RUNTIME_INVALID
 */
export const packageFolder = async (
	{name, version}: NpmPackage,
	{cacheDirectory, signal}: {readonly cacheDirectory: string; readonly signal: AbortSignal},
): Promise<string> => {
	const installed = path.join(projectRoot, 'node_modules', name);
	const cached = path.join(cacheDirectory, `npm-${name.replace('/', '-')}-${version}`);
	if (existsSync(installed) || existsSync(cached)) {
		return existsSync(installed) ? installed : cached;
	}
	try {
		await keepOnce(cached, async (place) => {
			const work = path.dirname(place);
			const archive = await fetchArchive({name, version}, {work, signal});
			requireIntegrity({name, version}, await readFile(archive));
			await run('tar', ['--extract', '--file', archive, '--directory', work, 'package'], {signal});
			await rename(path.join(work, 'package'), place);
		});
		return cached;
	} catch (error) {
		signal.throwIfAborted();
		throw new CodedError<ImageErrorCode>('IMAGE_RUNTIME_INVALID', {
			message: `${name}@${version} could not be fetched from npm: ${errorMessage(error)}`,
			cause: error,
		});
	}
};

const packedSchema = z.tuple([z.looseObject({filename: z.string()})]);

/** `pack`, because `install` refuses what is not for this machine. */
const fetchArchive = async (
	{name, version}: NpmPackage,
	{work, signal}: {readonly work: string; readonly signal: AbortSignal},
): Promise<string> => {
	const order = ['pack', '--json', '--pack-destination', work, `${name}@${version}`];
	const limits = {signal, timeout: fetchTimeoutMs, maxBuffer: outputBytesMax, cwd: work};
	const [{filename}] = packedSchema.parse(JSON.parse((await run('npm', order, limits)).stdout));
	return path.join(work, path.basename(filename));
};

const lockSchema = z.looseObject({
	packages: z.record(z.string(), z.looseObject({version: z.string().optional(), integrity: z.string().optional()})),
});

/** The version of a package in the lock file, which holds those of other machines as well. */
export const lockedVersion = (name: string, root = projectRoot): string => {
	const version = lockedPackage(name, root)?.version;
	if (version === undefined) {
		throw new CodedError<ImageErrorCode>('IMAGE_RUNTIME_INVALID', {message: `package-lock.json knows no ${name}.`});
	}
	return version;
};

/** @throws CodedError IMAGE_RUNTIME_INVALID when the lock file has another digest for this version. */
export const requireIntegrity = ({name, version}: NpmPackage, archive: Buffer, root = projectRoot): void => {
	const locked = lockedPackage(name, root);
	const digest = `sha512-${createHash('sha512').update(archive).digest('base64')}`;
	if (locked?.version === version && locked.integrity !== digest) {
		throw new CodedError<ImageErrorCode>('IMAGE_RUNTIME_INVALID', {
			message: `${name}@${version} is not what package-lock.json says: it has ${digest}.`,
		});
	}
};

const lockedPackage = (name: string, root: string): z.infer<typeof lockSchema>['packages'][string] | undefined =>
	lockSchema.parse(JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'))).packages[
		`node_modules/${name}`
	];
