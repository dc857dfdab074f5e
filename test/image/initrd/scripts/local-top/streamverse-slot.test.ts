import {execFileSync, spawnSync} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {mkdirSync, readdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {withDirectory} from '#test/helper/with-directory.ts';
import {readInitrdScript} from '#test/image/initrd/initrd-script.ts';

const script = readInitrdScript('scripts/local-top/streamverse-slot');
const rootBytes = 1024 * 1024;

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
		const functions = script.functions(['argument', 'holds_root']);
		const here = functions.replaceAll('/proc/cmdline', commandLine);
		return spawnSync('sh', ['-euc', `${here}\nholds_root ${directory}/rootfs-${slot}`]).status === 0;
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

/** How long a box waits, on a clock that only its naps turn: the disk is there at the nap of that number. */
const waitFor = async (
	t: ExecutionContext,
	{loadedFrom, shownAt}: {readonly loadedFrom: string; readonly shownAt: number},
): Promise<readonly string[]> => {
	const directory = await withDirectory(t);
	const [told, partition] = [path.join(directory, 'told'), path.join(directory, 'by-partuuid', 'of-boot-a')];
	mkdirSync(path.dirname(partition));
	const show = `[ "$naps" -lt ${shownAt} ] || : >${partition}`;
	const lines = [
		`naps=0 loaded_from=${loadedFrom}`,
		script.part(/^looks_max=.*$/mu),
		script.functions(['find_root', 'find_partition', 'wait_for_partition']).replaceAll('/dev/disk', directory),
		`wait_for_udev() { echo settle >>${told}; }`,
		`sleep() { naps=$((naps + 1)); echo "sleep $1" >>${told}; ${show}; }`,
		`holds_root() { [ "$1" = ${directory}/by-partlabel/rootfs-b ] && [ -e ${partition} ]; }`,
		show,
		`wait_for_partition && echo "found $found" >>${told} || echo gave up >>${told}`,
	];
	const {status, stderr} = spawnSync('sh', ['-euc', lines.join('\n')], {encoding: 'utf8'});
	t.is(status, 0, stderr);
	return readFileSync(told, 'utf8').replaceAll(`${directory}/`, '').trim().split('\n');
};

for (const [name, loadedFrom, link] of [
	['that the firmware names', 'of-boot-a', 'by-partuuid/of-boot-a'],
	['whose slots are told by the hash alone', "''", 'by-partlabel/rootfs-b'],
] as const) {
	test(`a disk ${name} is waited for, and only if it is late`, async (t) => {
		const naps = (count: number): readonly string[] => Array.from({length: count}, () => 'sleep 0.2');
		t.deepEqual(await waitFor(t, {loadedFrom, shownAt: 0}), ['settle', `found ${link}`]);
		t.deepEqual(await waitFor(t, {loadedFrom, shownAt: 7}), ['settle', ...naps(7), `found ${link}`]);
		t.deepEqual(
			await waitFor(t, {loadedFrom, shownAt: 1000}),
			['settle', ...naps(300), 'gave up'],
			'not for ever: the watchdog is fed meanwhile',
		);
	});
}

/** A disk as /sys has it, by the names of its partitions; each node is the disk's name with the partition's number. */
const layDisk = (root: string, disk: string, labels: readonly string[]): void => {
	const directory = path.join(root, 'sys/devices', disk);
	mkdirSync(path.join(directory, 'queue'), {recursive: true});
	mkdirSync(path.join(root, 'sys/class/block'), {recursive: true});
	mkdirSync(path.join(root, 'dev'), {recursive: true});
	for (const [index, label] of labels.entries()) {
		const node = `${disk}${index + 1}`;
		mkdirSync(path.join(directory, node));
		writeFileSync(path.join(directory, node, 'partition'), `${index + 1}\n`);
		writeFileSync(
			path.join(directory, node, 'uevent'),
			`MAJOR=8\nDEVNAME=${node}\nDEVTYPE=partition\nPARTNAME=${label}\n`,
		);
		symlinkSync(`../../devices/${disk}/${node}`, path.join(root, 'sys/class/block', node));
		writeFileSync(path.join(root, 'dev', node), '');
	}
};

test('a box knows the partitions of its own disk, whatever disk bears their names as well', async (t) => {
	const root = await withDirectory(t);
	const labels = ['esp', 'boot-a', 'boot-b', 'boot-r', 'rootfs-a', 'rootfs-b', 'rootfs-r', 'data'];
	layDisk(root, 'vda', [...labels, '../../etc', 'data2', 'a b']);
	layDisk(root, 'sda', ['data', ...labels]);
	const lines = [script.part(/^own=.*$/mu), script.functions(['link_partitions']), 'link_partitions /dev/vda2'];
	const here = lines
		.join('\n')
		.replaceAll('/dev/streamverse', `${root}/dev/streamverse`)
		.replaceAll('/sys/', `${root}/sys/`);
	const {status, stderr} = spawnSync('sh', ['-euc', here], {encoding: 'utf8'});
	t.is(status, 0, stderr);
	const links = path.join(root, 'dev/streamverse');
	const found = readdirSync(links).map((label) => [label, path.relative(root, realpathSync(path.join(links, label)))]);
	t.deepEqual(found.sort(), labels.map((label, index) => [label, `dev/vda${index + 1}`]).sort());
});
