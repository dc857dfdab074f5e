import {execFile, execFileSync} from 'node:child_process';
import {chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {imageDirectory} from '#image/make/recipe.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const script = path.join(imageDirectory, 'boot/grub.cfg');
const blockBytes = 1024;
const header = '# GRUB Environment Block\n';
const runTimeoutMs = 60_000;
const parallelRuns = 4;
const partitionOffset = 1024 * 1024;
/** In the first sector of a FAT of 12 or 16 bits: the lowest bit is set while it is mounted. */
const stateOffset = 0x25;

type Environment = Readonly<Record<string, string>>;
type Copies = {readonly first: Buffer; readonly second: Buffer};
type Boot = {
	/** The slots whose kernel GRUB wanted to start, one after the other. */
	readonly slots: string;
	readonly told: string;
	readonly copies: Copies;
};
type Circumstances = {
	/** Slots that the firmware refuses. */
	readonly refused?: string;
	/** Of the clock. */
	readonly minute?: number;
	/** Whether the disk takes what is written. */
	readonly writable?: boolean;
	/** As a cut of power leaves the file system that a box writes to. */
	readonly unclean?: boolean;
	/** Files in place of the copies; none where undefined. */
	readonly files?: Readonly<Record<string, Buffer | undefined>>;
};

const blockOf = (environment: Environment): Buffer => {
	const lines = Object.entries(environment).map(([name, value]) => `${name}=${value}\n`);
	return Buffer.from(`${header}${lines.join('')}`.padEnd(blockBytes, '#'));
};

const environmentOf = (block: Buffer): Environment =>
	Object.fromEntries([...block.toString('latin1').matchAll(/^(\w+)=(.*)$/gmu)].map(([, name, value]) => [name, value]));

const partitions: Readonly<Record<string, string>> = {A: 'gpt2', B: 'gpt3', R: 'gpt4'};

const slotOf = (part: string | undefined): string =>
	Object.keys(partitions).find((slot) => partitions[slot] === part) ?? '?';

/** A disk as ours is: GPT, and a FAT that holds both copies. They are found again by what they begin with. */
const withDisk = async (t: ExecutionContext): Promise<{readonly directory: string; readonly at: readonly number[]}> => {
	const directory = await withDirectory(t);
	const file = (name: string): string => path.join(directory, name);
	const run = (command: string, ...args: readonly string[]): void => void execFileSync(command, args, {stdio: 'pipe'});
	run('truncate', '--size', '4M', file('template.img'));
	run('sgdisk', '--clear', '--new', '1:0:+2M', '--typecode', '1:ef00', file('template.img'));
	run('truncate', '--size', '2M', file('esp.img'));
	run('mkfs.vfat', file('esp.img'));
	run('mmd', '-i', file('esp.img'), '::/EFI', '::/EFI/streamverse');
	for (const name of ['grubenv', 'grubenv.second']) {
		writeFileSync(file('block'), blockOf({COPY: name}));
		run('mcopy', '-i', file('esp.img'), file('block'), `::/EFI/streamverse/${name}`);
	}
	run('dd', `if=${file('esp.img')}`, `of=${file('template.img')}`, 'bs=1M', 'seek=1', 'conv=notrunc');
	const disk = readFileSync(file('template.img'));
	const at = ['grubenv', 'grubenv.second'].map((name) => disk.indexOf(`${header}COPY=${name}\n`));
	t.true(at.every((offset) => offset > partitionOffset));
	return {directory, at};
};

const replaceFiles = (disk: string, files: NonNullable<Circumstances['files']>): void => {
	const fat = `${disk}@@${partitionOffset}`;
	for (const [name, bytes] of Object.entries(files)) {
		execFileSync('mdel', ['-i', fat, `::/EFI/streamverse/${name}`]);
		if (bytes !== undefined) {
			writeFileSync(`${disk}.file`, bytes);
			execFileSync('mcopy', ['-i', fat, `${disk}.file`, `::/EFI/streamverse/${name}`]);
		}
	}
};

/**
 * Runs our script in GRUB itself, which Debian builds as a program as well. That one has no EFI to hand over to, so that a
 * function tells what would have been started.
 */
const boot = async (
	{directory, at}: {readonly directory: string; readonly at: readonly number[]},
	name: string,
	copies: Copies,
	{refused = '', minute = 0, writable = true, unclean = false, files = {}}: Circumstances = {},
): Promise<Boot> => {
	const work = path.join(directory, name);
	mkdirSync(work);
	const disk = readFileSync(path.join(directory, 'template.img'));
	for (const [index, copy] of [copies.first, copies.second].entries()) {
		copy.copy(disk, at[index] ?? 0);
	}
	disk.writeUInt8(unclean ? 1 : 0, partitionOffset + stateOffset);
	writeFileSync(path.join(work, 'disk.img'), disk);
	replaceFiles(path.join(work, 'disk.img'), files);
	writeFileSync(path.join(work, 'device.map'), `(hd0) ${work}/disk.img\n`);
	copyFileSync(script, path.join(work, 'box.cfg'));
	const refusals = [...refused].map((slot) => `"(hd0,${partitions[slot]})/streamverse.efi"`);
	const chain = `function chainloader {
		echo "chained $1"
		for refused in ${refusals.join(' ')}; do if [ "$1" = "$refused" ]; then return 1; fi; done
		reboot
	}`;
	writeFileSync(
		path.join(work, 'grub.cfg'),
		`${chain}\nset esp=hd0,gpt1\nexport esp\nconfigfile (host)${work}/box.cfg\n`,
	);
	// It wants a terminal.
	const clock = `faketime -f "@2026-01-01 00:${String(minute).padStart(2, '0')}:00"`;
	chmodSync(path.join(work, 'disk.img'), writable ? 0o644 : 0o444);
	const noOverride = process.getuid?.() === 0 ? 'setpriv --bounding-set=-dac_override' : '';
	const command = `${noOverride} ${clock} grub-emu --device-map=${work}/device.map --directory=${work}`;
	const {stdout} = await promisify(execFile)('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
		timeout: runTimeoutMs,
		env: {...process.env, TERM: 'vt100'},
	});
	const written = readFileSync(path.join(work, 'disk.img'));
	const [first, second] = at.map((offset) => written.subarray(offset, offset + blockBytes));
	return {
		slots: [...stdout.matchAll(/chained \(hd0,(\w+)\)\/streamverse\.efi/gu)].map(([, part]) => slotOf(part)).join(''),
		told: /streamverse: boot slot ([^\r\n]*)/u.exec(stdout)?.[1] ?? '',
		copies: {first: first ?? Buffer.alloc(0), second: second ?? Buffer.alloc(0)},
	};
};

const triesMax = 3;

/** What RAUC's variables mean: the first slot in the order that is good and has a try left. */
const expected = (environment: Environment): {readonly slot: string; readonly after: Environment} => {
	const slot = (environment['ORDER'] ?? '')
		.split(' ')
		.find((name) => environment[`${name}_OK`] === '1' && Number(environment[`${name}_TRY`]) < triesMax);
	return slot === undefined
		? {slot: 'R', after: environment}
		: {slot, after: {...environment, [`${slot}_TRY`]: String(Number(environment[`${slot}_TRY`]) + 1)}};
};

const table: readonly Environment[] = ['A B', 'B A', 'A', 'B'].flatMap((ORDER) =>
	['0', '1'].flatMap((A_OK) =>
		['0', '1'].flatMap((B_OK) =>
			['0', '1', '2', '3'].flatMap((A_TRY) => ['0', '1', '2', '3'].map((B_TRY) => ({ORDER, A_OK, A_TRY, B_OK, B_TRY}))),
		),
	),
);

test('the script is one of GRUB’s', (t) => {
	t.notThrows(() => execFileSync('grub-script-check', [script], {stdio: 'pipe'}));
	t.notThrows(() => execFileSync('grub-script-check', [path.join(imageDirectory, 'boot/early.cfg')], {stdio: 'pipe'}));
});

test('every order, verdict and count gives the slot and the counts that it must, in both copies', async (t) => {
	const disk = await withDisk(t);
	t.is(table.length, 256);
	const waiting = [...table.entries()];
	const work = async (): Promise<void> => {
		for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
			const [index, environment] = next;
			const name = Object.values(environment).join(' ');
			const {slot, after} = expected(environment);
			const booted = await boot(disk, String(index), {first: blockOf(environment), second: blockOf(environment)});
			t.is(booted.slots, slot, name);
			t.true(booted.told.startsWith(`${slot}, order ${environment['ORDER']}, A ok`), booted.told);
			t.deepEqual(environmentOf(booted.copies.first), after, name);
			t.deepEqual(booted.copies.second, booted.copies.first, name);
		}
	};
	await Promise.all(Array.from({length: parallelRuns}, work));
});

const whole = {ORDER: 'B A', A_OK: '1', A_TRY: '0', B_OK: '1', B_TRY: '2'};
const broken: Readonly<Record<string, Buffer>> = {
	zeroes: Buffer.alloc(blockBytes),
	ones: Buffer.alloc(blockBytes, 0xff),
	'another beginning': Buffer.from(blockOf(whole).toString().replace('GRUB', 'XXXX')),
	'nothing but a header': blockOf({}),
	'a header and other variables': blockOf({saved_entry: '0', A_TRY: '3'}),
	'cut after half of a line': Buffer.concat([blockOf(whole).subarray(0, header.length + 3), Buffer.alloc(blockBytes)]),
};

for (const [index, [name, block]] of Object.entries(broken).entries()) {
	test(`a copy that is ${name}: the other one counts, and two of them start A`, async (t) => {
		const disk = await withDisk(t);
		const good = blockOf(whole);
		const second = await boot(disk, `first-${index}`, {first: block, second: good});
		t.is(second.slots, 'B');
		t.is(environmentOf(second.copies.second)['B_TRY'], '3', 'the try is counted in the copy that is whole');
		const first = await boot(disk, `second-${index}`, {first: good, second: block});
		t.is(first.slots, 'B');
		t.is(environmentOf(first.copies.first)['B_TRY'], '3');
		const none = await boot(disk, `both-${index}`, {first: block, second: block});
		t.is(none.slots, 'A');
	});
}

const lost: Readonly<Record<string, Buffer | undefined>> = {
	missing: undefined,
	empty: Buffer.alloc(0),
	truncated: blockOf(whole).subarray(0, header.length - 1),
};

for (const [name, bytes] of Object.entries(lost)) {
	test(`a file that is ${name}: the other one counts, and two of them start by the clock`, async (t) => {
		const disk = await withDisk(t);
		const copies = {first: blockOf(whole), second: blockOf(whole)};
		const second = await boot(disk, 'first', copies, {files: {grubenv: bytes}});
		t.is(second.slots, 'B');
		t.is(environmentOf(second.copies.second)['B_TRY'], '3', 'the try is counted in the copy that is whole');
		const first = await boot(disk, 'second', copies, {files: {'grubenv.second': bytes}});
		t.is(first.slots, 'B');
		t.is(environmentOf(first.copies.first)['B_TRY'], '3');
		const none = await boot(disk, 'both', copies, {minute: 16, files: {grubenv: bytes, 'grubenv.second': bytes}});
		t.is(none.slots, 'B');
	});
}

test('a file system that was mounted when the power went is read and counted in as any other', async (t) => {
	const disk = await withDisk(t);
	const copies = {first: blockOf(whole), second: blockOf(whole)};
	const {slots, copies: after} = await boot(disk, 'unclean', copies, {unclean: true});
	t.is(slots, 'B');
	t.is(environmentOf(after.first)['B_TRY'], '3');
	t.deepEqual(after.second, after.first);
	const one = await boot(disk, 'torn', copies, {unclean: true, files: {grubenv: Buffer.alloc(0)}});
	t.is(one.slots, 'B');
	t.is(environmentOf(one.copies.second)['B_TRY'], '3');
});

test('values that nobody writes start the slot of the factory', async (t) => {
	const disk = await withDisk(t);
	for (const [index, change] of [{A_TRY: '9'}, {A_OK: 'yes'}, {ORDER: 'C D'}, {A_TRY: ''}].entries()) {
		const block = blockOf({ORDER: 'A', A_OK: '1', A_TRY: '0', B_OK: '0', B_TRY: '0', ...change});
		const {slots} = await boot(disk, `odd-${index}`, {first: block, second: block});
		t.is(slots, 'R', JSON.stringify(change));
	}
});

test('a slot that the firmware refuses gives way at once, with its try counted', async (t) => {
	const disk = await withDisk(t);
	const fresh = blockOf({ORDER: 'A B', A_OK: '1', A_TRY: '0', B_OK: '1', B_TRY: '0'});
	const copies = {first: fresh, second: fresh};
	const first = await boot(disk, 'a', copies, {refused: 'A'});
	t.is(first.slots, 'AB');
	t.like(environmentOf(first.copies.first), {A_TRY: '1', B_TRY: '1'});
	t.deepEqual(first.copies.second, first.copies.first);
	t.is((await boot(disk, 'ab', copies, {refused: 'AB'})).slots, 'ABR');
	const used = blockOf({ORDER: 'A B', A_OK: '1', A_TRY: '3', B_OK: '1', B_TRY: '3'});
	t.is((await boot(disk, 'r', {first: used, second: used}, {refused: 'RA'})).slots, 'RAB', 'better than none');
});

test('without an environment the minute of the clock leads to every slot, so that none is tried for ever', async (t) => {
	const disk = await withDisk(t);
	const none = {first: Buffer.alloc(blockBytes), second: Buffer.alloc(blockBytes)};
	const orderAt = async (minute: number): Promise<string> =>
		(await boot(disk, String(minute), none, {minute, refused: 'ABR'})).slots.slice(0, 3);
	const orders = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((each) => orderAt(10 * (each % 6) + each)));
	t.deepEqual(orders, ['ABR', 'ABR', 'ABR', 'ABR', 'ABR', 'BAR', 'BAR', 'BAR', 'RAB', 'RAB']);
	const lost = await boot(disk, 'kept', none);
	t.is(lost.slots, 'A');
	t.deepEqual(lost.copies, none, 'GRUB cannot make an environment, which the initrd does');
});

test('a disk that takes no count is as good as no environment, but for slots that are bad', async (t) => {
	const disk = await withDisk(t);
	const block = blockOf({ORDER: 'A B', A_OK: '0', A_TRY: '0', B_OK: '1', B_TRY: '0'});
	const copies = {first: block, second: block};
	t.is((await boot(disk, 'early', copies, {writable: false, minute: 1, refused: 'B'})).slots, 'BR');
	t.is((await boot(disk, 'late', copies, {writable: false, minute: 18})).slots, 'R');
});
