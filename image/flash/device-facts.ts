import type {Stats} from 'node:fs';
import {readdir, readFile, readlink, realpath, stat} from 'node:fs/promises';
import path from 'node:path';
import {hasCode} from '#appliance/error/coded-error.ts';
import {flashError} from '#image/flash/flash-error.ts';

/** What a disk, one of its partitions, or what is made of them is in use for. */
export type DeviceUse =
	| {readonly kind: 'mount'; readonly at: string}
	| {readonly kind: 'swap'}
	| {readonly kind: 'holder'; readonly name: string};

export type DeviceFacts = {
	readonly path: string;
	readonly kind: 'disk' | 'partition' | 'file';
	readonly name: string;
	readonly sizeBytes: number;
	readonly logicalSectorBytes: number;
	readonly model: string;
	readonly serial: string;
	readonly isReadOnly: boolean;
	/** Made to be taken out: a stick, a card, a disk on USB. */
	readonly isRemovable: boolean;
	readonly uses: readonly DeviceUse[];
	/** As much as is known of which piece of hardware it is: of this depends whether a journal is believed. */
	readonly identity: string;
	/** That hardware, where it is since it was plugged in: names are given again, and two sticks may tell one serial. */
	readonly instance: string;
};

export type SystemRoots = {readonly sys: string; readonly proc: string};
export const systemRoots: SystemRoots = {sys: '/sys', proc: '/proc'};

/** The kernel counts in these, whatever the disk's own sectors. */
const sizeUnitBytes = 512;
const stackDepthMax = 8;

/** @throws CodedError FLASH_DEVICE_UNKNOWN, FLASH_DEVICE_UNFIT */
export const readDeviceFacts = async (devicePath: string, roots = systemRoots): Promise<DeviceFacts> => {
	const stats = await stat(devicePath).catch((cause: unknown) => {
		throw flashError('FLASH_DEVICE_UNKNOWN', `There is no ${devicePath}; --list tells what there is.`, {cause});
	});
	return await factsOf(devicePath, stats, roots);
};

/** The facts of what has these `stats`, named by a path. @throws CodedError FLASH_DEVICE_UNFIT */
export const factsOf = async (devicePath: string, stats: Stats, roots: SystemRoots): Promise<DeviceFacts> => {
	if (stats.isFile()) {
		const identity = JSON.stringify(['file', stats.dev, stats.ino, stats.birthtimeMs, stats.size]);
		return {
			...{path: devicePath, kind: 'file', name: path.basename(devicePath), sizeBytes: stats.size},
			...{logicalSectorBytes: sizeUnitBytes, model: 'a file', serial: '', isReadOnly: false, isRemovable: false},
			...{uses: [], identity, instance: identity},
		};
	}
	if (!stats.isBlockDevice()) {
		throw flashError('FLASH_DEVICE_UNFIT', `${devicePath} is no disk.`);
	}
	return await blockDeviceFacts(devicePath, deviceNumber(stats.rdev), roots);
};

/** `8:16`, as below /sys/dev/block. The C library keeps the number in two parts. */
export const deviceNumber = (rdev: number): string => {
	const value = BigInt(rdev);
	const major = ((value >> 8n) & 0xf_ffn) | ((value >> 32n) & ~0xf_ffn);
	return `${major}:${(value & 0xffn) | ((value >> 12n) & ~0xffn & 0xffff_ffffn)}`;
};

export const blockDeviceFacts = async (
	devicePath: string,
	number: string,
	roots: SystemRoots,
): Promise<DeviceFacts> => {
	const directory = await realpath(path.join(roots.sys, 'dev/block', number)).catch((cause: unknown) => {
		throw flashError('FLASH_DEVICE_UNFIT', `The kernel knows nothing of ${devicePath}.`, {cause});
	});
	const isPartition = (await textOf(directory, 'partition')) !== '';
	const names = ['wwid', 'device/wwid', 'diskseq', 'loop/backing_file', 'size'] as const;
	const [wwid, deviceWwid, sequence, backing, size] = (await Promise.all(
		names.map((name) => textOf(directory, name)),
	)) as [string, string, string, string, string];
	const vendor = await textOf(directory, 'device/vendor');
	const model = (await textOf(directory, 'device/model')) || (await textOf(directory, 'device/name')) || backing;
	const serial = await serialOf(directory, roots);
	// A disk without a number of its own is the same one only for as long as it stays plugged in.
	const unique = [wwid, deviceWwid, serial].some((text) => text !== '') ? '' : sequence;
	const identity = JSON.stringify(['disk', size, model, serial, wwid, deviceWwid, backing, unique]);
	return {
		path: devicePath,
		kind: isPartition ? 'partition' : 'disk',
		name: path.basename(directory),
		sizeBytes: Number(size) * sizeUnitBytes,
		logicalSectorBytes: Number((await textOf(directory, 'queue/logical_block_size')) || sizeUnitBytes),
		model: (vendor.startsWith('0x') ? model : `${vendor} ${model}`).trim(),
		serial,
		isReadOnly: (await textOf(directory, 'ro')) === '1',
		isRemovable: (await textOf(directory, 'removable')) === '1' || /\/(?:usb\d|mmc\d)/u.test(directory),
		uses: await usesOf(directory, roots),
		identity,
		instance: JSON.stringify([number, sequence, identity]),
	};
};

const usesOf = async (directory: string, roots: SystemRoots): Promise<readonly DeviceUse[]> => {
	const numbers = new Map<string, string>();
	const holders: DeviceUse[] = [];
	const visit = async (at: string, depth: number): Promise<void> => {
		const number = await textOf(at, 'dev');
		if (depth > stackDepthMax || numbers.has(number)) {
			return;
		}
		numbers.set(number, path.basename(at));
		for (const name of await namesIn(path.join(at, 'holders'))) {
			const label = (await textOf(path.join(at, 'holders', name), 'dm/name')) || name;
			holders.push({kind: 'holder', name: label});
			await visit(await realpath(path.join(at, 'holders', name)), depth + 1);
		}
		for (const name of await namesIn(at)) {
			if ((await textOf(path.join(at, name), 'partition')) !== '') {
				await visit(path.join(at, name), depth + 1);
			}
		}
	};
	await visit(directory, 0);
	const isOurs = async (source: string): Promise<boolean> => {
		const stats = await stat(source).catch(() => undefined);
		return stats?.isBlockDevice() === true && numbers.has(deviceNumber(stats.rdev));
	};
	const uses: DeviceUse[] = [];
	for (const line of (await textOf(roots.proc, 'self/mountinfo')).split('\n')) {
		const [own = '', optional = ''] = line.split(' - ');
		const [, , number = '', , at = ''] = own.split(' ');
		// The number of a btrfs mount is nobody's; its source is.
		if (numbers.has(number) || (number.startsWith('0:') && (await isOurs(optional.split(' ')[1] ?? '')))) {
			uses.push({kind: 'mount', at: unescapeOctal(at)});
		}
	}
	for (const line of (await textOf(roots.proc, 'swaps')).split('\n').slice(1)) {
		if (await isOurs(unescapeOctal(line.split(/\s/u)[0] ?? ''))) {
			uses.push({kind: 'swap'});
		}
	}
	return [...uses, ...holders];
};

/** On USB the number belongs to the device above the disk. */
const serialOf = async (directory: string, roots: SystemRoots): Promise<string> => {
	for (const name of ['serial', 'device/serial', 'device/cid']) {
		const own = await textOf(directory, name);
		if (own !== '') {
			return own;
		}
	}
	const sys = await realpath(roots.sys);
	for (let at = path.dirname(directory); at.startsWith(sys) && at !== sys; at = path.dirname(at)) {
		if ((await textOf(at, 'idVendor')) !== '') {
			return textOf(at, 'serial');
		}
	}
	return '';
};

/** Fields of mountinfo and swaps have spaces and the like as `\040`. */
const unescapeOctal = (text: string): string =>
	text.replaceAll(/\\([0-7]{3})/gu, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

const textOf = async (directory: string, name: string): Promise<string> => {
	try {
		return (await readFile(path.join(directory, name), 'latin1')).trim();
	} catch (error) {
		if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR', 'ENODEV', 'ENXIO', 'EIO', 'EINVAL', 'EACCES')) {
			return '';
		}
		throw error;
	}
};

const namesIn = async (directory: string): Promise<readonly string[]> => {
	try {
		return await readdir(directory);
	} catch (error) {
		if (hasCode(error, 'ENOENT', 'ENOTDIR')) {
			return [];
		}
		throw error;
	}
};

/** Whole disks that can be taken out, those without a medium left out. */
export const listRemovable = async (roots = systemRoots): Promise<readonly DeviceFacts[]> => {
	const found: DeviceFacts[] = [];
	for (const name of (await namesIn(path.join(roots.sys, 'block'))).toSorted()) {
		const number = await textOf(path.join(roots.sys, 'block', name), 'dev');
		const target = await readlink(path.join(roots.sys, 'block', name)).catch(() => '');
		if (number !== '' && !target.includes('/virtual/')) {
			const facts = await blockDeviceFacts(`/dev/${name.replaceAll('!', '/')}`, number, roots);
			if (facts.isRemovable && facts.sizeBytes > 0) {
				found.push(facts);
			}
		}
	}
	return found;
};
