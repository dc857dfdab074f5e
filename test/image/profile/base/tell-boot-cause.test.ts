import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {imageDirectory} from '#image/make/recipe.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const script = path.join(imageDirectory, 'profile/base/overlay/usr/lib/streamverse/bin/tell-boot-cause');
const ownBoot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

type Box = {readonly journal: string; readonly told: string; readonly pstore: string; readonly run: () => string};

/** A box that runs slot A. */
const withBox = async (t: ExecutionContext, lines: readonly string[]): Promise<Box> => {
	const root = await withDirectory(t);
	const [journal, told, pstore, slot] = ['journal', 'told', 'pstore', 'slot'].map((name) => path.join(root, name));
	if (journal === undefined || told === undefined || pstore === undefined || slot === undefined) {
		throw new TypeError('four names give four paths');
	}
	mkdirSync(pstore);
	writeFileSync(slot, 'A\n');
	writeFileSync(journal, lines.map((line) => `${line}\n`).join(''));
	return {
		...{journal, told, pstore},
		run: () => {
			execFileSync(script, [journal, told, pstore, slot]);
			return readFileSync(path.join(told, 'attempts'), 'utf8');
		},
	};
};

test('of the boots of the other slot since this one was booted last it tells how far each got', async (t) => {
	const box = await withBox(t, [
		'boot-0 B system',
		'boot-1 A initrd',
		'boot-1 A system',
		'boot-2 B initrd',
		'boot-3 B initrd',
		'boot-3 B system',
		'boot-3 B supervisor-ended exit-code exited 1',
		'boot-3 B supervisor-ended signal killed 9',
		'boot-4 B initrd',
		'boot-4 B system',
		`${ownBoot} A initrd`,
	]);
	t.is(box.run(), 'initrd 0 \nsupervisor-ended 2 signal killed 9\nsystem 0 \n');
	t.regex(readFileSync(box.journal, 'utf8'), new RegExp(`\\n${ownBoot} A system\\n$`, 'u'), 'and notes its own boot');
	t.is(box.run(), 'initrd 0 \nsupervisor-ended 2 signal killed 9\nsystem 0 \n', 'asked again it tells the same');
});

test('a slot that is booted again after itself tells of none, nor does a box that has no journal', async (t) => {
	const box = await withBox(t, [
		'boot-1 B system',
		'boot-2 A initrd',
		'boot-2 A supervisor-ended x',
		`${ownBoot} A initrd`,
	]);
	t.is(box.run(), '');
	t.is((await withBox(t, [])).run(), '');
});

test('the last words of a kernel are taken from where they lie, once', async (t) => {
	const box = await withBox(t, []);
	writeFileSync(path.join(box.pstore, 'dmesg-efi_pstore-1'), 'Kernel panic - not syncing', {mode: 0o400});
	writeFileSync(path.join(box.pstore, 'console-1'), 'other');
	box.run();
	const taken = path.join(box.told, 'dmesg-efi_pstore-1');
	t.is(readFileSync(taken, 'utf8'), 'Kernel panic - not syncing');
	t.deepEqual(readdirSync(box.pstore), ['console-1']);
	box.run();
	t.true(existsSync(taken), 'and stay until the box is booted again');
});
