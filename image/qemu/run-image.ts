import {execFileSync} from 'node:child_process';
import {existsSync, readdirSync, statSync} from 'node:fs';
import {mkdir, rm} from 'node:fs/promises';
import path from 'node:path';
import type {Writable} from 'node:stream';
import type {BoxKind} from '#appliance/contract/box-schema.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {ImageErrorCode} from '#image/error-code.ts';
import type {Architecture} from '#image/make/recipe.ts';
import {startMachine} from '#image/qemu/start-machine.ts';

/** What a box's disk is grown to, so that its data partition has room. */
const diskGigabytes = 8;

/** As the set-top's and every box's file have them. */
const boxPorts = {http: 80, commission: 8078} as const;
/** What systemd draws twice a second while it waits is for a terminal that can move its cursor. */
const animation = / Job .* running /u;

/**
 * `streamverse image run`: boots an image in the foreground, its console on the terminal. The disk and the firmware's
 * variables are copies that are kept, so that the box is the same one the next time.
 * @throws CodedError IMAGE_MACHINE_FAILED when QEMU cannot run it, and why.
 */
export const runImage = async (options: {
	readonly imagePath: string;
	readonly architecture: Architecture;
	readonly stateDirectory: string;
	/** Port on loopback that leads to the box's port 80. */
	readonly httpPort: number;
	/** Port on loopback that leads to the technician's page. */
	readonly commissionPort: number;
	/** A new box: the disk of the one before is thrown away. */
	readonly fresh: boolean;
	readonly output: Writable;
	readonly signal: AbortSignal;
}): Promise<void> => {
	const {imagePath, stateDirectory, httpPort, commissionPort, output, signal} = options;
	const diskPath = path.join(stateDirectory, 'disk.img');
	if (options.fresh) {
		await rm(stateDirectory, {recursive: true, force: true});
	}
	if (!existsSync(diskPath)) {
		await makeDisk(imagePath, diskPath);
	} else {
		const isOlder = existsSync(imagePath) && statSync(imagePath).mtimeMs > statSync(diskPath).birthtimeMs;
		const hint = isOlder
			? '; a newer image is there, which --fresh takes'
			: ', as it was left; --fresh makes a new one';
		output.write(`the box of ${diskPath}${hint}\n`);
	}
	output.write(`it serves at http://127.0.0.1:${httpPort}/ in a minute or two; for the technician, who claims it, at `);
	output.write(`http://127.0.0.1:${commissionPort}/ with the code that the console shows; Ctrl-C pulls the plug\n`);
	await using machine = await startMachine({
		...{diskPath, stateDirectory, architecture: options.architecture, signal},
		forwards: {[httpPort]: boxPorts.http, [commissionPort]: boxPorts.commission},
		onLine: (line) => void (animation.test(line) || output.write(`${line}\n`)),
	});
	const code = await machine.ended;
	if (code !== 0 && !signal.aborted) {
		throw new CodedError<ImageErrorCode>('IMAGE_MACHINE_FAILED', {
			message: `QEMU has ended (${code}). ${machine.complaint()}`,
		});
	}
};

/**
 * The image of a kind that was made last.
 * @throws CodedError IMAGE_MACHINE_FAILED when there is none.
 */
export const newestImage = (directory: string, kind: BoxKind, architecture: Architecture): string => {
	const prefix = `streamverse-${kind}-${architecture}-`;
	const names = existsSync(directory) ? readdirSync(directory) : [];
	const [newest] = names
		.filter((name) => name.startsWith(prefix) && name.endsWith('.img'))
		.map((name) => ({file: path.join(directory, name), madeMs: statSync(path.join(directory, name)).mtimeMs}))
		.sort((left, right) => right.madeMs - left.madeMs);
	if (newest === undefined) {
		throw new CodedError<ImageErrorCode>('IMAGE_MACHINE_FAILED', {
			message: `There is no image of a ${kind} in ${directory}; make it with ./streamverse image build ${kind}.`,
		});
	}
	return newest.file;
};

/**
 * A sparse copy of an image, as large as a box's disk.
 * @throws CodedError IMAGE_MACHINE_FAILED when there is no such image.
 */
export const makeDisk = async (imagePath: string, diskPath: string): Promise<void> => {
	if (!existsSync(imagePath)) {
		throw new CodedError<ImageErrorCode>('IMAGE_MACHINE_FAILED', {
			message: `There is no image ${imagePath}; make it with ./streamverse image build.`,
		});
	}
	await mkdir(path.dirname(diskPath), {recursive: true});
	execFileSync('cp', ['--sparse=always', imagePath, diskPath]);
	execFileSync('truncate', ['--size', `${diskGigabytes}G`, diskPath]);
};
