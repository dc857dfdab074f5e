import {execFileSync, spawnSync} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {imageDirectory} from '#image/make/recipe.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const script = readFileSync(path.join(imageDirectory, 'initrd/scripts/local-top/streamverse-slot'), 'utf8');
const rootBytes = 1024 * 1024;

const functionOf = (name: string): string => {
	const [text] = new RegExp(`^${name}\\(\\) \\{(?:.*\\}$|[^]*?^\\})`, 'mu').exec(script) ?? [];
	if (text === undefined) {
		throw new Error(`the script has no function ${name}`);
	}
	return text;
};

test('where the firmware does not tell the slot, the root hash does, before anything is opened', async (t) => {
	const directory = await withDirectory(t);
	const hashes: Record<string, string> = {};
	for (const slot of ['a', 'b']) {
		const file = path.join(directory, `rootfs-${slot}`);
		writeFileSync(file, randomBytes(rootBytes));
		const salt = '0'.repeat(64);
		const told = execFileSync('veritysetup', ['format', file, file, `--hash-offset=${rootBytes}`, `--salt=${salt}`], {
			encoding: 'utf8',
		});
		hashes[slot] = /^Root hash:\s+(\S+)/mu.exec(told)?.[1] ?? '';
	}
	const commandLine = path.join(directory, 'cmdline');
	const holds = (slot: string): boolean => {
		const functions = ['argument', 'holds_root'].map(functionOf).join('\n');
		const here = functions.replaceAll('/proc/cmdline', commandLine).replaceAll('/dev/disk/by-partlabel', directory);
		return spawnSync('sh', ['-euc', `${here}\nholds_root ${slot}`]).status === 0;
	};
	for (const [slot, other] of [
		['a', 'b'],
		['b', 'a'],
	] as const) {
		const words = `root=/dev/mapper/root streamverse.roothash=${hashes[slot]} streamverse.hashoffset=${rootBytes} quiet`;
		writeFileSync(commandLine, `${words}\n`);
		t.true(holds(slot));
		t.false(holds(other));
		t.false(holds('r'), 'a slot that is not there');
	}
});
