import {mkdir, symlink, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {blockDeviceFacts, deviceNumber, listRemovable, readDeviceFacts} from '#image/flash/device-facts.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

/** A /sys and a /proc with a USB stick, one of whose partitions is mounted through a mapping of the kernel. */
const withSystem = async (
	t: ExecutionContext,
	{mounts = '', extra = {}}: {mounts?: string; extra?: Record<string, string>},
) => {
	const root = await withDirectory(t);
	const roots = {sys: path.join(root, 'sys'), proc: path.join(root, 'proc')};
	const usb = 'devices/pci0/usb2/2-1';
	const disk = `${usb}/host0/block/sdb`;
	const mapping = 'devices/virtual/block/dm-0';
	const files: Record<string, string> = {
		[`${usb}/idVendor`]: '0781',
		[`${usb}/serial`]: 'USB-77',
		[`${disk}/dev`]: '8:16',
		[`${disk}/size`]: '2048',
		[`${disk}/ro`]: '0',
		[`${disk}/removable`]: '0',
		[`${disk}/diskseq`]: '9',
		[`${disk}/device/vendor`]: 'SanDisk ',
		[`${disk}/device/model`]: 'Ultra   ',
		[`${disk}/queue/logical_block_size`]: '512',
		[`${disk}/sdb1/dev`]: '8:17',
		[`${disk}/sdb1/partition`]: '1',
		[`${disk}/sdb1/size`]: '1024',
		[`${mapping}/dev`]: '253:0',
		[`${mapping}/size`]: '1024',
		[`${mapping}/dm/name`]: 'vault',
		...extra,
	};
	for (const [file, text] of Object.entries(files)) {
		await mkdir(path.dirname(path.join(roots.sys, file)), {recursive: true});
		await writeFile(path.join(roots.sys, file), `${text}\n`);
	}
	await mkdir(path.join(roots.sys, 'dev/block'), {recursive: true});
	await mkdir(path.join(roots.sys, 'block'));
	await mkdir(path.join(roots.proc, 'self'), {recursive: true});
	await writeFile(path.join(roots.proc, 'self/mountinfo'), mounts);
	const link = (from: string, to: string): Promise<void> =>
		symlink(path.join(roots.sys, to), path.join(roots.sys, from));
	await link('dev/block/8:16', disk);
	await link('dev/block/8:17', `${disk}/sdb1`);
	await link('block/sdb', disk);
	await link('block/dm-0', mapping);
	return {
		roots,
		hold: () =>
			mkdir(path.join(roots.sys, disk, 'sdb1/holders')).then(() => link(`${disk}/sdb1/holders/dm-0`, mapping)),
	};
};

test('a stick is described, with the number of the USB device that it is in', async (t) => {
	const {roots} = await withSystem(t, {});
	t.like(await blockDeviceFacts('/dev/sdb', '8:16', roots), {
		...{kind: 'disk', name: 'sdb', sizeBytes: 1_048_576, model: 'SanDisk Ultra', serial: 'USB-77'},
		...{isRemovable: true, isReadOnly: false, uses: []},
	});
});

test('a partition is known as one', async (t) => {
	const {roots} = await withSystem(t, {});
	t.is((await blockDeviceFacts('/dev/sdb1', '8:17', roots)).kind, 'partition');
});

test('a mount of a partition is one of the disk', async (t) => {
	const {roots} = await withSystem(t, {mounts: '36 27 8:17 / /media/my\\040stick rw - vfat /dev/sdb1 rw\n'});
	const {uses} = await blockDeviceFacts('/dev/sdb', '8:16', roots);
	t.deepEqual(uses, [{kind: 'mount', at: '/media/my stick'}]);
});

test('a mount of what a partition was made into is one of the disk', async (t) => {
	const {roots, hold} = await withSystem(t, {mounts: '36 27 253:0 / /vault rw - ext4 /dev/mapper/vault rw\n'});
	await hold();
	const {uses} = await blockDeviceFacts('/dev/sdb', '8:16', roots);
	t.deepEqual(uses, [
		{kind: 'mount', at: '/vault'},
		{kind: 'holder', name: 'vault'},
	]);
});

test('only disks that can be taken out are listed', async (t) => {
	const {roots} = await withSystem(t, {});
	t.deepEqual(
		(await listRemovable(roots)).map(({path: devicePath}) => devicePath),
		['/dev/sdb'],
	);
});

test('a disk without a number of its own is another one when it was plugged in again', async (t) => {
	const serial = {'devices/pci0/usb2/2-1/serial': ''};
	const identityOf = async (extra: Record<string, string>): Promise<string> => {
		const {roots} = await withSystem(t, {extra});
		return (await blockDeviceFacts('/dev/sdb', '8:16', roots)).identity;
	};
	const sequence = {'devices/pci0/usb2/2-1/host0/block/sdb/diskseq': '10'};
	t.not(await identityOf(serial), await identityOf({...serial, ...sequence}));
	t.is(await identityOf({}), await identityOf(sequence), 'one with a number is the same');
});

test('two sticks of one serial, and the next one at its name, are not the same one', async (t) => {
	const another = 'devices/pci0/usb2/2-1/host0/block/sdc';
	const factsOf = async (number: string, extra: Record<string, string> = {}) => {
		const {roots} = await withSystem(t, {
			extra: {[`${another}/size`]: '2048', [`${another}/diskseq`]: '9', ...extra},
		});
		for (const [name, text] of [
			['vendor', 'SanDisk '],
			['model', 'Ultra   '],
		] as const) {
			await mkdir(path.join(roots.sys, another, 'device'), {recursive: true});
			await writeFile(path.join(roots.sys, another, 'device', name), text);
		}
		await symlink(path.join(roots.sys, another), path.join(roots.sys, 'dev/block/8:32'));
		return await blockDeviceFacts('/dev/stick', number, roots);
	};
	const stick = await factsOf('8:16');
	const twin = await factsOf('8:32');
	const next = await factsOf('8:16', {'devices/pci0/usb2/2-1/host0/block/sdb/diskseq': '10'});
	t.is(stick.identity, twin.identity);
	t.not(stick.instance, twin.instance);
	t.is(stick.identity, next.identity);
	t.not(stick.instance, next.instance);
});

test('the kernel’s way of putting a device number into one is undone', (t) => {
	t.is(deviceNumber(0x8_11), '8:17');
	t.is(deviceNumber(0x10_fe_05), '254:261');
});

test('what is no disk is refused, and so is what is not there', async (t) => {
	await t.throwsAsync(readDeviceFacts('/dev/null'), {code: 'FLASH_DEVICE_UNFIT'});
	await t.throwsAsync(readDeviceFacts('/dev/not-there'), {code: 'FLASH_DEVICE_UNKNOWN'});
});
