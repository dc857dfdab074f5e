import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {readBootCause} from '#ota/slot/rauc/read-boot-cause.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

test('a panic that the kernel left behind comes before what the watchdog remembers', async (t) => {
	const root = await withDirectory(t);
	const [pstore, watchdog] = [join(root, 'pstore'), join(root, 'watchdog')];
	t.is(await readBootCause({pstore, watchdog}), undefined);
	await mkdir(watchdog);
	await writeFile(join(watchdog, 'bootstatus'), '0\n');
	t.is(await readBootCause({pstore, watchdog}), undefined);
	await writeFile(join(watchdog, 'bootstatus'), '32\n');
	t.like(await readBootCause({pstore, watchdog}), {origin: 'watchdog'});
	await writeFile(join(watchdog, 'bootstatus'), '16\n');
	t.like(await readBootCause({pstore, watchdog}), {origin: 'power'});
	await mkdir(pstore);
	await writeFile(join(pstore, 'dmesg-efi-1'), 'x\n[1.0] Kernel panic - not syncing: no init\nmore\n');
	t.deepEqual(await readBootCause({pstore, watchdog}), {
		origin: 'panic',
		detail: '[1.0] Kernel panic - not syncing: no init',
	});
});
