import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {createReadStream, mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {pipeline} from 'node:stream/promises';
import test, {type ExecutionContext} from 'ava';
import {partitionOf} from '#test/helper/box-disk.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {type TestImage, testImage} from '#test/helper/with-image.ts';
import {type TestMachine, type TestMachineOptions, withMachine, withMachineFleet} from '#test/helper/with-machine.ts';

const testTimeoutMs = 40 * 60_000;
const dataNumber = 8;
/** Who the box would be, were its state taken. */
const foreignId = '0123456789abcdef0123456789abcdef';

type ForeignDisk = {readonly path: string; readonly digest: () => Promise<string>};

/** A disk of another box: its partitions have the names of every box's, and its state says who it is. */
const makeForeignDisk = async (
	t: ExecutionContext,
	{image, guids}: {readonly image: TestImage; readonly guids: 'of the image' | 'of its own'},
): Promise<ForeignDisk> => {
	const directory = await withDirectory(t);
	const [disk, state] = [join(directory, 'foreign.img'), join(directory, 'content')];
	execFileSync('cp', ['--sparse=always', image.diskPath, disk]);
	if (guids === 'of its own') {
		execFileSync('sgdisk', ['--move-second-header', '--randomize-guids', disk], {stdio: 'pipe'});
	}
	mkdirSync(join(state, 'state/etc'), {recursive: true});
	writeFileSync(join(state, 'state/etc/machine-id'), `${foreignId}\n`);
	const {offsetBytes, sizeBytes} = partitionOf(disk, dataNumber);
	const make = ['-q', '-F', '-L', 'data', '-d', state, '-E', `offset=${offsetBytes}`, disk, `${sizeBytes / 1024}k`];
	execFileSync('mkfs.ext4', make, {stdio: 'pipe'});
	return {
		path: disk,
		digest: async () => {
			const hash = createHash('sha256');
			await pipeline(createReadStream(disk), hash);
			return hash.digest('hex');
		},
	};
};

/** A box beside the disks of others: it joins its fleet as who it is, and writes to none of them. */
const keepsToItself = async (
	t: ExecutionContext,
	disks: readonly ForeignDisk[],
	options: TestMachineOptions,
): Promise<TestMachine> => {
	const before = await Promise.all(disks.map(({digest}) => digest()));
	const machine = await withMachine(t, options);
	await machine.until('it is online and healthy', ({presence, reported}) => {
		return presence === 'online' && reported?.healthy === true && reported.slots.length > 0;
	});
	t.regex(machine.bootVariables(), /^ORDER=/mu, 'its own boot loader has started it');
	t.deepEqual(await Promise.all(disks.map(({digest}) => digest())), before, 'not a byte was written to another’s disk');
	return machine;
};

test.serial('a box keeps to its own disk, whatever is plugged in that bears the names of its partitions', async (t) => {
	t.timeout(testTimeoutMs);
	const image = await testImage({release: '1.0.0'});
	const stick = await makeForeignDisk(t, {image, guids: 'of the image'});
	const built = await makeForeignDisk(t, {image, guids: 'of its own'});
	await keepsToItself(t, [stick, built], {
		...{fleet: await withMachineFleet(t), image, id: 'stb-own-disk'},
		extraArguments: [
			// The firmware is to start the box from its own disk, as it does from the first that it is told to.
			...['-global', 'virtio-blk-pci.bootindex=0'],
			...['-device', 'qemu-xhci', '-drive', `if=none,id=stick,format=raw,file=${stick.path}`],
			...['-device', 'usb-storage,drive=stick,removable=on'],
			...['-drive', `if=none,id=built,format=raw,file=${built.path}`, '-device', 'ide-hd,drive=built'],
		],
	});
});

test.serial('a box whose disk is on USB waits for it, and keeps to it beside one that is built in', async (t) => {
	t.timeout(testTimeoutMs);
	const image = await testImage({release: '1.0.0'});
	const built = await makeForeignDisk(t, {image, guids: 'of the image'});
	await keepsToItself(t, [built], {
		...{fleet: await withMachineFleet(t), image, id: 'stb-on-usb', diskBus: 'usb'},
		damage: (disk) => void execFileSync('sgdisk', ['--move-second-header', '--randomize-guids', disk], {stdio: 'pipe'}),
		extraArguments: ['-drive', `if=virtio,format=raw,file=${built.path}`],
	});
});
