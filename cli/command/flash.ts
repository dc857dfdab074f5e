import {readFile, stat} from 'node:fs/promises';
import {homedir} from 'node:os';
import path from 'node:path';
import {createInterface} from 'node:readline/promises';
import type {Command} from 'commander';
import {claimBytesMax} from '#appliance/identity/claim-schema.ts';
import {stopSignal} from '#cli/stop-signal.ts';
import type {DeviceFacts} from '#image/flash/device-facts.ts';
import {flashError} from '#image/flash/flash-error.ts';

type FlashFlags = {
	readonly device: readonly string[];
	readonly list?: boolean;
	readonly site?: string;
	readonly deviceId?: string;
	readonly tag: readonly string[];
	readonly timeZone?: string;
	readonly claim?: string;
	readonly claimToken?: string;
	readonly settings?: string;
	readonly state: string;
	readonly yes?: boolean;
	readonly json?: boolean;
};

const defaultState = path.join(
	process.env['XDG_STATE_HOME'] ?? path.join(homedir(), '.local/state'),
	'streamverse/flash',
);
const append = (value: string, before: readonly string[]): readonly string[] => [...before, value];

export const registerFlashCommand = (program: Command): void => {
	program
		.command('flash')
		.summary('write an image to disks, verified, with the seed of the box')
		.description('writes what the block map beside the image (IMAGE.bmap) lists; the same command resumes what was cut')
		.argument('[image]', 'the .img that `streamverse image build` made')
		.option('--device <path>', 'a whole disk, such as /dev/sdb; several times for several', append, [])
		.option('--list', 'show the removable disks of this computer')
		.option('--site <name>', 'where the box will stand')
		.option('--device-id <id>', 'of the box; default its kind and the address of its network card')
		.option('--tag <tag>', 'of the box in the fleet; several times for several', append, [])
		.option('--time-zone <zone>', 'such as Africa/Nairobi')
		.option('--claim <file>', 'the claim that the fleet gave out (JSON)')
		.option('--claim-token <file>', 'a file with a token that goes into the claim')
		.option('--settings <file>', 'YAML with `config` (over the box’s file) and `network` (cards without DHCP)')
		.option('--state <dir>', 'where interrupted runs are remembered', defaultState)
		.option('--yes', 'ask nothing')
		.option('--json', 'progress as lines of JSON on standard output')
		.addHelpText(
			'after',
			'\nExample:\n  # ./streamverse flash streamverse-stb-amd64-1.0.0.img --device /dev/sdb --site nairobi-3',
		)
		.action(async (image: string | undefined, flags: FlashFlags) => {
			if (flags.list === true) {
				await printList();
			} else {
				await flash(image, flags);
			}
		});
};

const flash = async (image: string | undefined, flags: FlashFlags): Promise<void> => {
	if (image === undefined) {
		throw flashError('FLASH_DEVICE_UNKNOWN', 'Name the image to write, or --list the disks.');
	}
	const {flashImage, requireDevices} = await import('#image/flash/flash-image.ts');
	const {readBlockMap} = await import('#image/flash/block-map.ts');
	const {createProgressLines, createProgressView} = await import('#image/flash/progress-view.ts');
	const {makeSeed} = await import('#image/seed/make-seed.ts');
	const signal = stopSignal();
	const {imageBytes} = await readBlockMap(`${image}.bmap`);
	const named = flags.device.length > 0 ? flags.device : await chooseDevice(flags, signal);
	// The tools that finish a disk run in another folder than this.
	const devicePaths = named.map((file) => path.resolve(file));
	const seed = makeSeed(
		{
			...{site: flags.site, deviceId: flags.deviceId, tags: flags.tag, timeZone: flags.timeZone},
			...{claim: await smallFile(flags.claim), token: await smallFile(flags.claimToken)},
			settings: await smallFile(flags.settings),
		},
		devicePaths.length,
	);
	const devices = await requireDevices(devicePaths, {imageBytes});
	if (flags.yes !== true) {
		await confirm(devices, signal);
	}
	const view = flags.json === true ? createProgressLines(process.stdout) : createProgressView(process.stderr);
	const outcomes = await flashImage({
		...{imagePath: image, devices, seed, journalDirectory: path.resolve(flags.state), signal},
		onProgress: view.update,
	});
	for (const outcome of outcomes) {
		view.end(outcome);
	}
	const failed = outcomes.filter((outcome) => outcome.kind === 'failed');
	if (failed.length === 1 && outcomes.length === 1) {
		throw failed[0]?.error;
	}
	if (failed.length > 0) {
		throw flashError('FLASH_SOME_FAILED', `${failed.length} of ${outcomes.length} disks failed.`);
	}
};

const smallFile = async (file: string | undefined): Promise<string | undefined> => {
	if (file === undefined) {
		return undefined;
	}
	const size = await stat(file).then(
		(stats) => stats.size,
		(cause: unknown) => {
			throw flashError('FLASH_SEED_INVALID', `There is no ${file}.`, {cause});
		},
	);
	if (size > claimBytesMax) {
		throw flashError('FLASH_SEED_INVALID', `${file} has ${size} bytes, and at most ${claimBytesMax} are taken.`);
	}
	return await readFile(file, 'utf8');
};

const nameOf = ({path: devicePath, model, serial, sizeBytes}: DeviceFacts): string =>
	`${devicePath}  ${(sizeBytes / 1e9).toFixed(1)} GB  ${model || 'no model'}${serial === '' ? '' : `, serial ${serial}`}`;

const printList = async (): Promise<readonly DeviceFacts[]> => {
	const {listRemovable} = await import('#image/flash/device-facts.ts');
	const {refusalOf} = await import('#image/flash/refuse-device.ts');
	const found = await listRemovable();
	for (const facts of found) {
		const refusal = refusalOf(facts, 0);
		process.stdout.write(`${nameOf(facts)}${refusal === undefined ? '' : `\n    not now: ${refusal.message}`}\n`);
	}
	if (found.length === 0) {
		process.stderr.write('No removable disk is plugged in; --device takes any other.\n');
	}
	return found;
};

const chooseDevice = async ({yes}: FlashFlags, signal: AbortSignal): Promise<readonly string[]> => {
	const found = await printList();
	if (!process.stdin.isTTY || yes === true || found.length === 0) {
		throw flashError('FLASH_DEVICE_UNKNOWN', 'Name the disk with --device.');
	}
	return [await ask('Which disk? ', signal)];
};

const confirm = async (devices: readonly DeviceFacts[], signal: AbortSignal): Promise<void> => {
	const names = devices.map(({name}) => name).join(' ');
	process.stderr.write(`Everything on these is lost:\n${devices.map((facts) => `  ${nameOf(facts)}\n`).join('')}`);
	if (!process.stdin.isTTY) {
		throw flashError('FLASH_NOT_CONFIRMED', 'Nobody is there to ask; --yes says that it is meant.');
	}
	if ((await ask(`Type ${names} to go on: `, signal)) !== names) {
		throw flashError('FLASH_NOT_CONFIRMED', 'Nothing was written.');
	}
};

const ask = async (question: string, signal: AbortSignal): Promise<string> => {
	using terminal = createInterface({input: process.stdin, output: process.stderr});
	return (await terminal.question(question, {signal})).trim();
};
