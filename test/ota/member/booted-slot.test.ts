import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {factorySlot, readBootedSlot} from '#ota/member/booted-slot.ts';
import {renderSystemConf} from '#ota/slot/rauc/system-conf.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

test('the slot that the initrd booted has the name that RAUC gives it', async (t) => {
	const directory = await withDirectory(t);
	t.is(await readBootedSlot(directory), undefined);
	const conf = renderSystemConf({
		...{raucVersion: '1.13', compatible: 'bench', keyringPath: '/k', dataDirectory: '/d', mountPrefix: '/m'},
		bootloader: {kind: 'grub', grubenvPath: '/g'},
		slots: ['A', 'B'].map((bootname) => ({device: `/dev/${bootname}`, bootname})),
		factory: {device: '/dev/r', bootname: 'R'},
	});
	for (const [, name, bootname = ''] of conf.matchAll(/\[slot\.(\S+)\][^[]*bootname=(\w)/gu)) {
		await writeFile(path.join(directory, 'boot-slot'), `${bootname}\n`);
		t.is(await readBootedSlot(directory), name);
	}
	t.is(await readBootedSlot(directory), factorySlot, 'the last of them');
});
