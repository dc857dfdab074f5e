import {mkdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {findSticks, sticksOf} from '#image/stick/find-sticks.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const partition = (name: string, fstype: string | null, mountpoints: readonly (string | null)[] = [null]) => ({
	path: `/dev/${name}`,
	tran: null,
	fstype,
	mountpoints,
});
const disk = (name: string, tran: string, children: readonly object[], fstype: string | null = null) => ({
	...{path: `/dev/${name}`, tran, fstype, mountpoints: [null]},
	...(children.length === 0 ? {} : {children}),
});

test('partitions of USB disks with a file system of sticks are looked at, and no others', (t) => {
	const answer = {
		blockdevices: [
			disk('vda', 'virtio', [partition('vda1', 'vfat'), partition('vda2', 'erofs')]),
			disk('sda', 'sata', [partition('sda1', 'exfat')]),
			disk('sdb', 'usb', [partition('sdb1', 'vfat'), partition('sdb2', 'ext4'), partition('sdb3', 'exfat')]),
			disk('sdc', 'usb', [], 'vfat'),
			disk('sdd', 'usb', [partition('sdd1', null)]),
		],
	};
	t.deepEqual(sticksOf(answer), [
		{path: '/dev/sdb1', fileSystem: 'vfat'},
		{path: '/dev/sdb3', fileSystem: 'exfat'},
		{path: '/dev/sdc', fileSystem: 'vfat'},
	]);
});

test('the disk that a box has booted from is no stick, whatever it is plugged into', (t) => {
	const booted = disk('sda', 'usb', [partition('sda1', 'vfat', ['/efi']), partition('sda5', 'exfat')]);
	t.deepEqual(sticksOf({blockdevices: [booted]}), []);
});

test('a stick of a thousand partitions is looked at in part', (t) => {
	const many = Array.from({length: 1000}, (_, index) => partition(`sdb${index}`, 'vfat'));
	t.is(sticksOf({blockdevices: [disk('sdb', 'usb', many)]}).length, 8);
});

test('a path that is none of /dev is refused', (t) => {
	t.throws(() => sticksOf({blockdevices: [disk('../etc/shadow', 'usb', [], 'vfat')]}));
});

const withUsb = async (t: Parameters<typeof withDirectory>[0], classes: readonly string[]): Promise<string> => {
	const directory = await withDirectory(t);
	for (const [index, interfaceClass] of classes.entries()) {
		await mkdir(path.join(directory, `1-1:1.${index}`));
		await writeFile(path.join(directory, `1-1:1.${index}`, 'bInterfaceClass'), `${interfaceClass}\n`);
	}
	return directory;
};

test('a box with a keyboard only waits for nothing', async (t) => {
	const devicesDirectory = await withUsb(t, ['03']);
	const sticks = await findSticks({
		...{devicesDirectory, settleMs: 60_000, signal: AbortSignal.timeout(60_000)},
		listBlockDevices: () => Promise.reject(new Error('nobody is asked')),
	});
	t.deepEqual(sticks, []);
});

test('a stick that the kernel is still looking at is waited for', async (t) => {
	const devicesDirectory = await withUsb(t, ['03', '08']);
	let asked = 0;
	const sticks = await findSticks({
		...{devicesDirectory, settleMs: 60_000, signal: AbortSignal.timeout(60_000)},
		listBlockDevices: () => {
			asked += 1;
			return Promise.resolve({blockdevices: asked < 3 ? [] : [disk('sdb', 'usb', [], 'vfat')]});
		},
	});
	t.deepEqual(sticks, [{path: '/dev/sdb', fileSystem: 'vfat'}]);
	t.is(asked, 3);
});

test('and not for ever; the real lsblk is understood', async (t) => {
	const devicesDirectory = await withUsb(t, ['08']);
	await t.notThrowsAsync(findSticks({devicesDirectory, settleMs: 1, signal: AbortSignal.timeout(60_000)}));
});
