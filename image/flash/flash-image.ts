import {stat} from 'node:fs/promises';
import {hasCode} from '#appliance/error/coded-error.ts';
import {alignedBuffer, type BlockHandle, type OpenBlockHandle, openBlockHandle} from '#image/flash/block-handle.ts';
import {type BlockMap, readBlockMap} from '#image/flash/block-map.ts';
import {type DeviceFacts, factsOf, readDeviceFacts, type SystemRoots, systemRoots} from '#image/flash/device-facts.ts';
import {createDeviceWriter, type DeviceWriter} from '#image/flash/device-writer.ts';
import {flashError} from '#image/flash/flash-error.ts';
import {type FlashJournal, flashJournal} from '#image/flash/flash-journal.ts';
import {createRateMeter, type FlashProgress} from '#image/flash/flash-progress.ts';
import {readChunks} from '#image/flash/image-reader.ts';
import {makeTableOwn} from '#image/flash/own-table.ts';
import {type ReadBytes, readPartitions} from '#image/flash/partition-table.ts';
import {refusalOf} from '#image/flash/refuse-device.ts';
import {answered, readWhole} from '#image/flash/whole-transfer.ts';
import {planWrites} from '#image/flash/write-plan.ts';
import {requireSeedTools, seedText, writeSeed} from '#image/flash/write-seed.ts';
import type {Seed} from '#image/seed/seed-schema.ts';

/** Each holds a system call open; libuv has few threads, and a USB bus little to share. */
export const devicesMax = 16;
const closeTimeoutMs = 5000;

export type FlashOptions = {
	readonly imagePath: string;
	/** As they were confirmed: whatever else their paths name by now is not written. */
	readonly devices: readonly DeviceFacts[];
	readonly seed?: Seed | undefined;
	/** Where the journals of interrupted runs are. */
	readonly journalDirectory: string;
	readonly onProgress: (progress: FlashProgress) => void;
	readonly signal: AbortSignal;
	readonly openHandle?: OpenBlockHandle;
	readonly roots?: SystemRoots;
};

export type FlashOutcome =
	| {
			readonly kind: 'done';
			readonly device: string;
			readonly writtenBytes: number;
			/** Were there already from an interrupted run, and were read back. */
			readonly resumedBytes: number;
			readonly isVerifiedDirect: boolean;
			readonly isTableOwn: boolean;
	  }
	| {readonly kind: 'failed'; readonly device: string; readonly error: unknown};

type Target = {
	readonly facts: DeviceFacts;
	readonly handle: BlockHandle;
	readonly writer: DeviceWriter;
	readonly journal: FlashJournal;
	readonly rate: ReturnType<typeof createRateMeter>;
	error?: unknown;
};

/**
 * Writes an image to disks, all at once, and tells what became of each. Nothing is written to any while one of them may
 * not be; from then on a disk fails alone.
 * @throws CodedError FLASH_… when the image, its map, the seed or a disk is refused; the signal's reason when it aborts.
 */
export const flashImage = async (options: FlashOptions): Promise<readonly FlashOutcome[]> => {
	const {imagePath, signal} = options;
	const openHandle: OpenBlockHandle = options.openHandle ?? openBlockHandle;
	const map = await readBlockMap(`${imagePath}.bmap`);
	await requireImage(imagePath, map);
	if (options.seed !== undefined) {
		seedText(options.seed);
		await requireSeedTools(signal);
	}
	const image = await openHandle(imagePath, {writable: false, exclusive: false});
	await using stack = new AsyncDisposableStack();
	stack.defer(() => image.close());
	const chunks = planWrites(map, await readPartitions(readWith(image, signal), map.imageBytes));
	const totalBytes = chunks.reduce((sum, {length}) => sum + length, 0);
	const targets = await openTargets(options, {map, totalBytes, stack});
	let doneBytes = 0;
	for await (const {chunk, bytes} of readChunks(image, {chunks, imagePath, signal})) {
		const working = targets.filter((target) => target.error === undefined);
		if (working.length === 0) {
			break;
		}
		await Promise.all(working.map((target) => attempt(target, signal, () => target.writer.take(chunk, bytes))));
		doneBytes += chunk.length;
		for (const {facts, error, rate} of working) {
			if (error === undefined) {
				options.onProgress({device: facts.path, ...rate(doneBytes)});
			}
		}
	}
	return await Promise.all(targets.map((target) => finish(target, totalBytes, options)));
};

const requireImage = async (imagePath: string, map: BlockMap): Promise<void> => {
	const size = await stat(imagePath).then(
		(stats) => stats.size,
		(cause: unknown) => {
			throw flashError('FLASH_IMAGE_INVALID', `There is no image ${imagePath}.`, {cause});
		},
	);
	if (size !== map.imageBytes) {
		const message = `The image ${imagePath} has ${size} bytes, and its block map says ${map.imageBytes}; copy it again.`;
		throw flashError('FLASH_IMAGE_INVALID', message);
	}
};

/** @throws CodedError when one of the disks may not be written; none of them was then. */
export const requireDevices = async (
	devicePaths: readonly string[],
	{imageBytes, roots = systemRoots}: {readonly imageBytes: number; readonly roots?: SystemRoots | undefined},
): Promise<readonly DeviceFacts[]> => {
	const all = await Promise.all(devicePaths.map((devicePath) => readDeviceFacts(devicePath, roots)));
	requireFit(all, imageBytes);
	return all;
};

const requireFit = (all: readonly DeviceFacts[], imageBytes: number): void => {
	for (const facts of all) {
		const refusal = refusalOf(facts, imageBytes);
		if (refusal !== undefined) {
			throw refusal;
		}
	}
	const twice = all.find((facts, index) => all.findIndex(({instance}) => instance === facts.instance) !== index);
	if (twice !== undefined || all.length > devicesMax) {
		const why = twice === undefined ? `At most ${devicesMax} disks at once.` : `${twice.path} is named twice.`;
		throw flashError('FLASH_DEVICE_UNFIT', why);
	}
};

const openTargets = async (
	options: FlashOptions,
	{map, totalBytes, stack}: {map: BlockMap; totalBytes: number; stack: AsyncDisposableStack},
): Promise<readonly Target[]> => {
	const {journalDirectory, signal, roots = systemRoots} = options;
	const opened: {readonly facts: DeviceFacts; readonly handle: BlockHandle}[] = [];
	for (const confirmed of options.devices) {
		opened.push(await openConfirmed(confirmed, options, stack));
	}
	const all = opened.map(({facts}) => facts);
	requireFit(all, map.imageBytes);
	const targets: Target[] = [];
	for (const {facts, handle} of opened) {
		// Sticks of one batch may tell one serial, and each is to be resumed by itself.
		const isAlone = all.filter(({identity}) => identity === facts.identity).length === 1;
		const device = isAlone ? facts.identity : JSON.stringify([facts.name, facts.identity]);
		const journal = flashJournal(journalDirectory, {image: map.digest, device});
		const isThere = (): Promise<boolean> =>
			readDeviceFacts(facts.path, roots).then(
				({sizeBytes, identity}) => sizeBytes === facts.sizeBytes && identity === facts.identity,
				() => false,
			);
		const chunksDone = await journal.chunksDone();
		const writer = createDeviceWriter({facts, handle, journal, chunksDone, isThere, signal});
		targets.push({facts, handle, writer, journal, rate: createRateMeter(totalBytes)});
	}
	return targets;
};

/** A prompt stands for minutes, and the next disk that is plugged in gets the name of one that was pulled. */
const openConfirmed = async (
	{path, kind, instance}: DeviceFacts,
	{openHandle = openBlockHandle, roots = systemRoots}: FlashOptions,
	stack: AsyncDisposableStack,
): Promise<{readonly facts: DeviceFacts; readonly handle: BlockHandle}> => {
	const handle = await openHandle(path, {writable: true, exclusive: kind === 'disk'}).catch((cause: unknown) => {
		throw openRefusal(path, cause);
	});
	// A disk that does not answer is not closed either; the end of the process does it.
	stack.defer(() => answered(handle.close(), AbortSignal.timeout(closeTimeoutMs)).catch(() => undefined));
	const facts = await factsOf(path, await handle.stat(), roots);
	if (facts.instance !== instance) {
		const message = `${path} is no longer the disk that was confirmed; nothing was written, so look again and start anew.`;
		throw flashError('FLASH_DEVICE_UNFIT', message);
	}
	return {facts, handle};
};

const openRefusal = (devicePath: string, cause: unknown): Error => {
	if (hasCode(cause, 'EBUSY')) {
		return flashError('FLASH_DEVICE_IN_USE', `${devicePath} is in use, says the kernel; unmount it first.`, {cause});
	}
	if (hasCode(cause, 'EACCES', 'EPERM')) {
		return flashError('FLASH_DEVICE_UNFIT', `${devicePath} may not be written by you; run this as root.`, {cause});
	}
	if (hasCode(cause, 'ENOMEDIUM', 'ENXIO', 'ENODEV')) {
		return flashError('FLASH_DEVICE_GONE', `There is no disk in ${devicePath}.`, {cause});
	}
	return flashError('FLASH_DEVICE_UNFIT', `${devicePath} cannot be opened.`, {cause});
};

const attempt = async (target: Target, signal: AbortSignal, work: () => Promise<void>): Promise<void> => {
	try {
		await work();
	} catch (error) {
		signal.throwIfAborted();
		target.error = error;
	}
};

const finish = async (target: Target, writtenBytes: number, {seed, signal}: FlashOptions): Promise<FlashOutcome> => {
	const {facts, handle, writer} = target;
	const device = facts.path;
	let isTableOwn = false;
	if (target.error === undefined) {
		await attempt(target, signal, async () => {
			await writer.sync();
			isTableOwn = await makeTableOwn(device, signal);
			if (seed !== undefined) {
				const partitions = await readPartitions(readWith(handle, signal), facts.sizeBytes);
				await writeSeed(device, {seed, partitions, signal});
			}
			// mtools writes through the page cache, and a technician unplugs as soon as the last line is there.
			await writer.sync();
			await target.journal.remove();
		});
	}
	if (target.error !== undefined) {
		return {kind: 'failed', device, error: target.error};
	}
	const resumedBytes = writer.resumedBytes();
	return {kind: 'done', device, writtenBytes, resumedBytes, isVerifiedDirect: handle.isDirect, isTableOwn};
};

const readWith =
	(handle: BlockHandle, signal: AbortSignal): ReadBytes =>
	async (offset, length) => {
		const buffer = alignedBuffer(length);
		await readWhole(handle, buffer, offset, signal);
		return buffer;
	};
