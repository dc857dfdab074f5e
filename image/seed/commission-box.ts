import {open, readdir, readFile, rename, rm, stat} from 'node:fs/promises';
import path from 'node:path';
import {parse} from 'yaml';
import {z} from 'zod';
import {parseBoxConfig} from '#appliance/config/parse-box-config.ts';
import {type BoxKind, deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {errorMessage, hasCode} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {boxFileText} from '#image/seed/apply-seed.ts';
import {keepAnchor} from '#image/seed/keep-anchor.ts';
import {isSeededNetworkFile, networkFilesOf} from '#image/seed/network-seed.ts';
import {replaceFile} from '#image/seed/replace-file.ts';
import {type Seed, seedBytesMax, seedPath, seedSchema} from '#image/seed/seed-schema.ts';

/** A label of a domain name, which a name on the home's network is (RFC 1035 section 2.3.4). */
const hostNameCharsMax = 63;

export type CommissionOptions = {
	/** The image's own box file. */
	readonly templatePath: string;
	/** Where the box's file and claim are kept; what is written belongs to the owner of it. */
	readonly stateDirectory: string;
	/** Where nobody but root writes: whose orders make somebody root (keepAnchor). */
	readonly anchorPath: string;
	/** File systems that may hold a seed, such as the EFI system partition. */
	readonly seedRoots: readonly string[];
	readonly sectionSchemaOf: (kind: BoxKind) => z.ZodType;
	readonly kind: BoxKind;
	/** Of the kernel's network cards. */
	readonly networkDirectory?: string;
	/** Of systemd-networkd's own files. */
	readonly networkFilesDirectory: string;
	readonly logger: Logger;
};

/**
 * Gives a box its file: at the first boot from the image alone, and from a seed whenever one is brought. A seed that is
 * not understood is put aside with the reason beside it, and the box comes up without it.
 */
export const commissionBox = async (options: CommissionOptions): Promise<void> => {
	const {stateDirectory, templatePath, logger} = options;
	const boxPath = path.join(stateDirectory, 'box.yaml');
	const claimPath = path.join(stateDirectory, 'claim.json');
	const template = await readFile(templatePath, 'utf8');
	const current = await readIfThere(boxPath);
	const defaultId = `${options.kind}-${await hardwareAddress(options.networkDirectory)}`;
	for (const root of options.seedRoots) {
		const file = path.join(root, seedPath);
		try {
			const seed = await readSeed(file);
			if (seed !== undefined) {
				const text = boxFileText({template, current: await readIfThere(boxPath), seed, defaultId});
				requireValid(text, options);
				if (seed.claim !== undefined) {
					await replaceFile(claimPath, `${JSON.stringify(seed.claim)}\n`);
				}
				if (seed.network !== undefined) {
					await replaceNetwork(options.networkFilesDirectory, networkFilesOf(seed.network));
				}
				await replaceFile(boxPath, text);
				await keepAnchor({anchorPath: options.anchorPath, boxPath, claimPath, seed});
				await rm(file);
				logger.info({file, box: seed.deviceId, site: seed.site}, 'the seed was taken');
			}
		} catch (error) {
			logger.error({err: error, file}, 'the seed is refused');
			await putAside(file, errorMessage(error)).catch((cause: unknown) => logger.error({err: cause}, 'it stays'));
		}
	}
	if (current === undefined && (await readIfThere(boxPath)) === undefined) {
		await replaceFile(boxPath, boxFileText({template, current, seed: undefined, defaultId}));
	}
	await keepAnchor({anchorPath: options.anchorPath, boxPath, claimPath, seed: undefined});
	await nameHost(options, defaultId);
};

const boxNameSchema = z.looseObject({box: z.looseObject({id: deviceIdSchema})});

/** The box's name on its network is its name in the fleet; streamverse-hostname.service gives it to the kernel at each boot after the first. */
const nameHost = async ({stateDirectory, logger}: CommissionOptions, defaultId: string): Promise<void> => {
	const file = path.join(stateDirectory, 'hostname');
	let name = defaultId;
	try {
		name = boxNameSchema.parse(parse((await readIfThere(path.join(stateDirectory, 'box.yaml'))) ?? '')).box.id;
	} catch (error) {
		logger.warn({err: error}, 'the box’s file does not say its name');
	}
	await replaceFile(file, `${name.slice(0, hostNameCharsMax)}\n`);
};

/** Whoever runs systemd-networkd reads them; nothing in them is secret. */
const replaceNetwork = async (directory: string, files: ReadonlyMap<string, string>): Promise<void> => {
	for (const [name, text] of files) {
		await replaceFile(path.join(directory, name), text, {mode: 0o644});
	}
	const old = (await readdir(directory)).filter((name) => isSeededNetworkFile(name) && !files.has(name));
	for (const name of old) {
		await rm(path.join(directory, name));
	}
};

const requireValid = (text: string, {kind, sectionSchemaOf}: CommissionOptions): void => {
	parseBoxConfig({text, filePath: seedPath, kind, sectionSchemaOf});
};

const readSeed = async (file: string): Promise<Seed | undefined> => {
	try {
		await using handle = await open(file);
		const {size} = await handle.stat();
		if (size > seedBytesMax) {
			throw new RangeError(`A seed has at most ${seedBytesMax} bytes, and this one ${size}.`);
		}
		const seed = seedSchema.parse(JSON.parse(await handle.readFile('utf8')));
		// A claim for one box names it: it would be refused by one of another name.
		return {...seed, deviceId: seed.deviceId ?? seed.claim?.deviceId};
	} catch (error) {
		if (hasCode(error, 'ENOENT', 'ENOTDIR')) {
			return undefined;
		}
		throw error;
	}
};

const putAside = async (file: string, reason: string): Promise<void> => {
	await rename(file, `${file}.refused`);
	await using handle = await open(`${file}.reason.txt`, 'w');
	await handle.writeFile(`${reason}\n`);
};

const readIfThere = async (file: string): Promise<string | undefined> => {
	try {
		return await readFile(file, 'utf8');
	} catch (error) {
		if (hasCode(error, 'ENOENT')) {
			return undefined;
		}
		throw error;
	}
};

/** Twelve hex digits of the first network card that is hardware; what a label on the box says as well. */
const hardwareAddress = async (directory = '/sys/class/net'): Promise<string> => {
	const names = (await readdir(directory).catch(() => [])).sort();
	for (const name of names) {
		const isHardware = await stat(path.join(directory, name, 'device')).then(
			() => true,
			() => false,
		);
		const address = (await readIfThere(path.join(directory, name, 'address'))) ?? '';
		if (isHardware && /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/u.test(address.trim())) {
			return address.trim().replaceAll(':', '');
		}
	}
	return 'without-network';
};
