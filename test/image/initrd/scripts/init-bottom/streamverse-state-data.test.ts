import {execFileSync} from 'node:child_process';
import {
	closeSync,
	existsSync,
	openSync,
	readFileSync,
	rmSync,
	statSync,
	truncateSync,
	writeFileSync,
	writeSync,
} from 'node:fs';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {type DataPartition, dataBytes, withDataPartition} from '#test/image/initrd/with-data-partition.ts';

const superblockBytes = 1024;
const wipedHeadBytes = 1024 * 1024;
const formatted = ['touch', 'dd', 'mkfs.ext4', 'tune2fs', 'rm'];

const write = (file: string, offset: number, bytes: Uint8Array): void => {
	const handle = openSync(file, 'r+');
	writeSync(handle, bytes, 0, bytes.length, offset);
	closeSync(handle);
};

const fill = (file: string, offset: number, {length, value = 0}: {length: number; value?: number}): void => {
	write(file, offset, Buffer.alloc(length, value));
};

const debug = (file: string, command: string): string =>
	execFileSync('debugfs', ['-w', '-R', command, file], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']});

const giveIdentity = ({file}: DataPartition): void => {
	writeFileSync(`${file}.key`, 'the key of this box\n');
	debug(file, `write ${file}.key identity`);
};

const identity = ({file}: DataPartition): string => debug(file, 'cat identity');

/** A box that has been used, and is off. */
const withUsedPartition = async (t: ExecutionContext): Promise<DataPartition> => {
	const partition = await withDataPartition(t);
	t.is(partition.boot().lost, undefined);
	giveIdentity(partition);
	return partition;
};

test('what `flash` left empty is formatted once', async (t) => {
	const partition = await withDataPartition(t);
	// Of the box that the disk was in before: behind what is wiped, its own superblocks are still there.
	execFileSync('mkfs.ext4', ['-q', '-F', '-L', 'data', partition.file]);
	giveIdentity(partition);
	fill(partition.file, 0, {length: wipedHeadBytes});
	t.deepEqual(partition.boot().ran, ['sfdisk', 'sfdisk', ...formatted]);
	t.is(partition.label(), 'data');
	t.is(identity(partition), '');
	giveIdentity(partition);
	const again = partition.boot();
	t.deepEqual([again.ran, again.lost], [[], undefined]);
	t.is(identity(partition), 'the key of this box\n');
});

test('what a cut left half made is made anew', async (t) => {
	const partition = await withUsedPartition(t);
	execFileSync('tune2fs', ['-L', 'unfinished', partition.file]);
	t.deepEqual(partition.boot().ran, formatted);
	t.is(partition.label(), 'data');
	t.is(identity(partition), '');
});

const damages: Readonly<Record<string, (file: string) => void>> = {
	'whose checksum is wrong': (file) => fill(file, superblockBytes * 2 - 4, {length: 4, value: 0x5a}),
	'whose second half is of another day': (file) => fill(file, superblockBytes + 512, {length: 512, value: 0x5a}),
	'whose magic is lost': (file) => fill(file, superblockBytes + 56, {length: 2}),
	'that is all zeros': (file) => fill(file, superblockBytes, {length: superblockBytes}),
	'that is all ones': (file) => fill(file, superblockBytes, {length: superblockBytes, value: 0xff}),
};

for (const [name, damage] of Object.entries(damages)) {
	test(`a superblock ${name} is mended, and the box stays who it is`, async (t) => {
		const partition = await withUsedPartition(t);
		damage(partition.file);
		for (const boot of [1, 2]) {
			const {lost, ran} = partition.boot();
			t.is(lost, undefined, `boot ${boot}`);
			t.false(ran.includes('mkfs.ext4'), `boot ${boot}`);
			t.is(identity(partition), 'the key of this box\n', `boot ${boot}`);
		}
	});
}

test('a copy of the superblock that is older than the name does not have the box formatted later', async (t) => {
	const partition = await withUsedPartition(t);
	execFileSync('tune2fs', ['-L', 'unfinished', partition.file]);
	fill(partition.file, superblockBytes, {length: superblockBytes});
	t.is(partition.boot().lost, undefined);
	t.is(partition.label(), 'data');
	t.is(partition.boot().lost, undefined);
	t.is(identity(partition), 'the key of this box\n');
});

test('what is no file system and not empty is left as it is', async (t) => {
	const partition = await withDataPartition(t);
	truncateSync(partition.file, 0);
	truncateSync(partition.file, dataBytes);
	fill(partition.file, wipedHeadBytes - 1, {length: 1, value: 1});
	const before = readFileSync(partition.file);
	const {lost, ran} = partition.boot();
	t.deepEqual([lost, ran], ['its file system cannot be repaired', []]);
	t.true(readFileSync(partition.file).equals(before));
});

const readErrors = {
	'of the superblock': 'exec /bin/dd if=/proc/self/mem bs=8 skip=143 count=2',
	'behind it': 'case "$*" in *bs=4096*) head -c 8192 /dev/zero; exit 1 ;; *) exec /bin/dd "$@" ;; esac',
};

for (const [name, dd] of Object.entries(readErrors)) {
	test(`a read error ${name} formats nothing`, async (t) => {
		const partition = await withDataPartition(t);
		const {lost, ran} = partition.boot({instead: {dd}});
		t.deepEqual([lost, ran], ['it cannot be read', []]);
		t.is(partition.label(), undefined);
	});
}

/** As mkfs.ext4 is at work: it has written what is around the superblock, and the superblock not yet. */
const halfMake = [
	'for file; do :; done',
	'/sbin/mkfs.ext4 "$@" && /bin/dd if=/dev/zero of="$file" bs=1024 seek=1 count=1 conv=notrunc 2>/dev/null',
	'kill -KILL "$BOX"',
].join('\n');

const cutCases: Readonly<Record<string, (t: ExecutionContext) => Promise<DataPartition>>> = {
	'a first boot': withDataPartition,
	'a factory reset': async (t) => {
		const partition = await withUsedPartition(t);
		writeFileSync(path.join(partition.mounted, 'factory-reset'), '');
		return partition;
	},
};

for (const [name, withCase] of Object.entries(cutCases)) {
	test(`the power may go at any step of ${name}`, async (t) => {
		let cuts = 0;
		for (let step = 1; ; step += 1) {
			const partition = await withCase(t);
			if (!partition.boot({cutBefore: step}).isCut) {
				break;
			}
			cuts += 1;
			t.is(partition.boot().lost, undefined, `step ${step}`);
			t.is(partition.label(), 'data', `step ${step}`);
			t.is(identity(partition), '', `step ${step}`);
			t.false(existsSync(path.join(partition.espDirectory, 'halfmade')), `step ${step}`);
		}
		t.true(cuts >= 5, 'no step was cut');
	});

	test(`the power may go while mkfs.ext4 is at work in ${name}`, async (t) => {
		const partition = await withCase(t);
		t.true(partition.boot({instead: {'mkfs.ext4': halfMake}}).isCut);
		t.is(partition.label(), undefined);
		const {lost, ran} = partition.boot();
		t.is(lost, undefined);
		t.true(ran.includes('mkfs.ext4'));
		t.is(partition.label(), 'data');
		t.is(identity(partition), '');
	});
}

test('a note of a cut that was left behind does not have a box formatted that has its name', async (t) => {
	const partition = await withUsedPartition(t);
	const note = path.join(partition.espDirectory, 'halfmade');
	writeFileSync(note, '');
	t.deepEqual(partition.boot().ran, ['rm']);
	t.false(existsSync(note));
	t.is(identity(partition), 'the key of this box\n');
});

test('a box without its EFI system partition is formatted all the same', async (t) => {
	const partition = await withDataPartition(t);
	rmSync(partition.espDirectory, {recursive: true});
	t.is(partition.boot().lost, undefined);
	t.is(partition.label(), 'data');
});

test('a partition that cannot be grown is said to be small, and grown at a later boot', async (t) => {
	const partition = await withDataPartition(t);
	for (const sfdisk of ['exit 1', 'case "$*" in *relocate*) ;; *) exit 1 ;; esac']) {
		const {lost, said} = partition.boot({instead: {sfdisk}});
		t.is(lost, undefined);
		t.regex(said, /stays as small as it is/u);
	}
	giveIdentity(partition);
	// The kernel resizes what is mounted; here nothing is.
	const resize2fs = `echo "$@" >${partition.file}.resized`;
	const {ran, said} = partition.boot({instead: {resize2fs}});
	t.is(said, '');
	t.deepEqual(ran, ['sfdisk', 'sfdisk', 'rm']);
	t.true(statSync(partition.file).size > dataBytes);
	t.is(readFileSync(`${partition.file}.resized`, 'utf8'), `${partition.file}\n`);
	t.is(identity(partition), 'the key of this box\n');
	t.deepEqual(partition.boot().ran, [], 'once');
});

test('growing goes on where a cut ended it', async (t) => {
	const partition = await withDataPartition(t);
	const resized = `${partition.file}.resized`;
	const resize2fs = `: >${resized}`;
	const cuts = [
		...[1, 2, 3].map((cutBefore) => ({cutBefore, instead: {resize2fs}})),
		{instead: {resize2fs: 'kill -KILL "$BOX"'}},
	];
	partition.boot();
	for (const [index, cut] of cuts.entries()) {
		const bytes = dataBytes * (index + 3);
		truncateSync(partition.disk, bytes);
		t.true(partition.boot(cut).isCut, `cut ${index}`);
		rmSync(resized, {force: true});
		t.is(partition.boot({instead: {resize2fs}}).said, '', `cut ${index}`);
		t.true(existsSync(resized), `cut ${index}`);
		t.true(statSync(partition.file).size > bytes - dataBytes, `cut ${index}`);
		t.deepEqual(partition.boot().ran, [], `cut ${index}`);
	}
});
