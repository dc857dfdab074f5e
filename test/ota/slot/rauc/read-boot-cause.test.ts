import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {readBootCause} from '#ota/slot/rauc/read-boot-cause.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

test('a panic that the kernel left behind comes before what a watchdog remembers, and that before the journal', async (t) => {
	const root = await withDirectory(t);
	const [told, watchdogs] = [join(root, 'told'), join(root, 'watchdogs')];
	const read = () => readBootCause({told, watchdogs});
	t.is(await read(), undefined);
	await mkdir(told);
	await writeFile(join(told, 'attempts'), '');
	t.is(await read(), undefined, 'no slot was tried before this one');
	await writeFile(join(told, 'attempts'), 'system 0 \ninitrd 0 \n');
	t.deepEqual(await read(), {
		origin: 'bootloader',
		detail: 'It was booted 2 times, and got to its initrd, and not to systemd.',
	});
	await writeFile(join(told, 'attempts'), 'initrd 0 \nsupervisor-ended 6 exit-code exited 1\n');
	t.deepEqual(await read(), {
		origin: 'supervisor',
		detail: 'Its supervisor ended 6 times in one boot (exit-code exited 1).',
	});
	for (const name of ['watchdog0', 'watchdog1']) {
		await mkdir(join(watchdogs, name), {recursive: true});
		await writeFile(join(watchdogs, name, 'bootstatus'), '0\n');
	}
	t.like(await read(), {origin: 'supervisor'});
	await writeFile(join(watchdogs, 'watchdog1/bootstatus'), '16\n');
	t.like(await read(), {origin: 'power'});
	await writeFile(join(watchdogs, 'watchdog1/bootstatus'), '32\n');
	t.like(await read(), {origin: 'watchdog'});
	await writeFile(join(told, 'dmesg-efi-1'), 'Panic#1 Part2\nx\n<0>[1.0] Kernel panic - not syncing: no init\nmore\n');
	await writeFile(join(told, 'dmesg-efi-2'), 'Panic#1 Part1\n<4>[1.1] Call Trace:\n');
	t.deepEqual(await read(), {origin: 'panic', detail: '[1.0] Kernel panic - not syncing: no init'});
});
