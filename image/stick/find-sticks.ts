import {readdir, readFile} from 'node:fs/promises';
import path from 'node:path';
import {z} from 'zod';
import {toolText} from '#appliance/diagnostics/run-tool.ts';
import {sleep} from '#appliance/time/sleep.ts';

/** A partition that may be a technician's, or a whole stick without partitions. */
export type StickPartition = {readonly path: string; readonly fileSystem: 'vfat' | 'exfat'};

/** Of a stick with many partitions, and of a hub full of sticks. */
const partitionsMax = 8;
const outputBytesMax = 1024 * 1024;
const pollMs = 250;
/** The class of an interface that is a disk (USB Mass Storage Class, section 4.3). */
const massStorageClass = '08';

type BlockDevice = {
	readonly path: string;
	readonly tran?: string | null | undefined;
	readonly fstype?: string | null | undefined;
	readonly mountpoints?: readonly (string | null)[] | undefined;
	readonly children?: readonly BlockDevice[] | undefined;
};

const blockDeviceSchema: z.ZodType<BlockDevice> = z.object({
	path: z.string().regex(/^\/dev\/[\w/-]+$/u),
	tran: z.string().nullish(),
	fstype: z.string().nullish(),
	mountpoints: z.array(z.string().nullable()).optional(),
	get children() {
		return z.array(blockDeviceSchema).optional();
	},
});
const answerSchema = z.object({blockdevices: z.array(blockDeviceSchema)});

/** What of lsblk's answer is on a USB disk of which nothing is mounted: a box may itself boot from such a disk. Pure. */
export const sticksOf = (answer: unknown): readonly StickPartition[] =>
	answerSchema
		.parse(answer)
		.blockdevices.filter((disk) => disk.tran === 'usb' && !wholeOf(disk).some(isMounted))
		.flatMap(wholeOf)
		.flatMap(({path: device, fstype}) =>
			fstype === 'vfat' || fstype === 'exfat' ? [{path: device, fileSystem: fstype} as const] : [],
		)
		.slice(0, partitionsMax);

const wholeOf = (device: BlockDevice): readonly BlockDevice[] => [device, ...(device.children ?? []).flatMap(wholeOf)];

const isMounted = ({mountpoints = []}: BlockDevice): boolean => mountpoints.some((point) => point !== null);

const lsblk = async (signal: AbortSignal): Promise<unknown> =>
	JSON.parse(
		await toolText('lsblk', {
			// Without the column NAME partitions stand beside their disk, and are on no bus.
			args: ['--json', '--output', 'NAME,PATH,TRAN,FSTYPE,MOUNTPOINTS'],
			...{bytesMax: outputBytesMax, signal},
		}),
	);

/** Whether something that stores is plugged in, known before the kernel has found out what it stores. */
const hasMassStorage = async (devicesDirectory: string): Promise<boolean> => {
	for (const name of await readdir(devicesDirectory).catch(() => [])) {
		const interfaceClass = await readFile(path.join(devicesDirectory, name, 'bInterfaceClass'), 'utf8').catch(() => '');
		if (interfaceClass.trim() === massStorageClass) {
			return true;
		}
	}
	return false;
};

/** Waits until `settleMs` for a disk that is plugged in to tell what is on it; a box without one waits for nothing. */
export const findSticks = async (options: {
	readonly settleMs: number;
	readonly signal: AbortSignal;
	/** Of the kernel's USB devices. */
	readonly devicesDirectory?: string;
	readonly listBlockDevices?: (signal: AbortSignal) => Promise<unknown>;
}): Promise<readonly StickPartition[]> => {
	const {settleMs, signal, devicesDirectory = '/sys/bus/usb/devices', listBlockDevices = lsblk} = options;
	const endMs = performance.now() + settleMs;
	for (;;) {
		if (!(await hasMassStorage(devicesDirectory))) {
			return [];
		}
		const sticks = sticksOf(await listBlockDevices(signal));
		if (sticks.length > 0 || performance.now() >= endMs) {
			return sticks;
		}
		await sleep(pollMs, {signal});
	}
};
