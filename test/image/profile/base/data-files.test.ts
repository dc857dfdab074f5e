import {existsSync, globSync, readFileSync} from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';
import test from 'ava';
import {parse} from 'yaml';
import {z} from 'zod';
import {boxKinds} from '#appliance/contract/box-schema.ts';
import {imageDirectory, loadRecipe} from '#image/make/recipe.ts';

const profile = path.join(imageDirectory, 'profile');
const overlay = path.join(profile, 'base/overlay');

const linesOf = (file: string): readonly string[] =>
	readFileSync(path.join(profile, file), 'utf8')
		.split('\n')
		.map((line) => line.replace(/#.*/u, '').trim())
		.filter((line) => line !== '');

test('each path that a box keeps has a kind, a mode and an owner, and lies in /etc or /var', (t) => {
	const lines = linesOf('base/state-paths');
	t.true(lines.length > 0);
	for (const line of lines) {
		t.regex(line, /^(?:file\s+\/etc|directory\s+\/(?:etc|var))(?:\/[\w.-]+)+\s+[0-2]?[0-7]{3,4}\s+[\w-]+:[\w-]+$/u);
		t.notRegex(line, /\.\./u);
	}
	const paths = lines.map((line) => line.split(/\s+/u)[1] ?? '');
	t.is(new Set(paths).size, paths.length);
	for (const outer of paths) {
		t.false(
			paths.some((inner) => inner.startsWith(`${outer}/`)),
			`something is kept within ${outer}, which is kept`,
		);
	}
});

test('what a unit may write to is kept, is the boot loader’s, or is made at each boot', (t) => {
	const made = linesOf('base/overlay/usr/lib/tmpfiles.d/streamverse.conf');
	const kept = [...linesOf('base/state-paths'), ...made].map((line) => line.split(/\s+/u)[1] ?? '');
	const units = globSync('usr/lib/systemd/system/streamverse*.service', {cwd: overlay});
	const wordsOf = (file: string, setting: string): readonly string[] => {
		const unit = readFileSync(path.join(overlay, file), 'utf8');
		return [...unit.matchAll(new RegExp(`^${setting}=(.*)$`, 'gmu'))].flatMap(([, list]) => (list ?? '').split(' '));
	};
	// The last is that of chrony's own unit.
	const runtime = [...units.flatMap((file) => wordsOf(file, 'RuntimeDirectory')), 'chrony'].map(
		(name) => `/run/${name}`,
	);
	// Who has the data partition made anew writes beside what is kept.
	const elsewhere = (file: string): readonly string[] => (file.endsWith('-reset.service') ? ['/data'] : ['/efi']);
	for (const file of units) {
		t.deepEqual(
			wordsOf(file, 'ReadWritePaths').filter(
				(name) => !elsewhere(file).includes(name) && !kept.includes(name) && !runtime.includes(name.replace(/^-/u, '')),
			),
			[],
			file,
		);
	}
});

test('the slots that the supervisor reads blocks from, its unit and udev let it read, and no other disk', (t) => {
	const {slotPaths} = z
		.looseObject({fleet: z.looseObject({installer: z.looseObject({slotPaths: z.array(z.string())})})})
		.parse(parse(readFileSync(path.join(profile, 'base/box.yaml'), 'utf8'))).fleet.installer;
	const unit = readFileSync(path.join(overlay, 'usr/lib/systemd/system/streamverse.service'), 'utf8');
	const allowed = [...unit.matchAll(/^DeviceAllow=(\/dev\/streamverse\/\S+) (\w+)$/gmu)];
	t.deepEqual(
		allowed.map(([, device]) => device),
		[...slotPaths],
	);
	t.true(allowed.every(([, , access]) => access === 'r'));
	const rules = readFileSync(path.join(overlay, 'usr/lib/udev/rules.d/80-streamverse-slots.rules'), 'utf8');
	const [, pattern = ''] =
		/ENV\{ID_PART_ENTRY_NAME\}=="([^"]+)", GROUP="streamverse", MODE="0640"$/mu.exec(rules) ?? [];
	const opened = loadRecipe('stb', 'amd64').partitions.filter(({label}) =>
		pattern.split('|').some((glob) => path.matchesGlob(label, glob)),
	);
	t.deepEqual(opened.map(({label}) => `/dev/streamverse/${label}`).sort(), [...slotPaths].sort());
});

test('packages are named one a line, none twice, none for a way in', (t) => {
	const base = linesOf('base/packages.txt');
	for (const kind of boxKinds) {
		const names = [...base, ...linesOf(`${kind}/packages.txt`)];
		t.deepEqual(
			names.filter((name) => !/^[a-z0-9][a-z0-9.+-]+(?:ARCH)?$/u.test(name)),
			[],
		);
		t.is(new Set(names).size, names.length);
		t.deepEqual(
			names.filter((name) => /ssh|telnet|ftp|^sudo$/u.test(name)),
			[],
		);
	}
});

test('drivers are dropped by paths below the kernel’s folder, and none that a box needs', (t) => {
	const dropped = [...linesOf('base/modules-dropped.txt'), ...linesOf('stb/modules-dropped.txt')];
	for (const pattern of dropped) {
		t.regex(pattern, /^(?:drivers|fs|net|sound)(?:\/[\w*.[\]-]+)*$/u);
	}
	t.is(new Set(dropped).size, dropped.length);
	const needed = [
		'drivers/md',
		'drivers/block',
		'drivers/nvme',
		'drivers/ata',
		'drivers/media/dvb-core',
		'fs/erofs',
		'fs/fat',
		...['md/dm-mod', 'md/dm-bufio', 'md/dm-verity', 'ata/libata', 'ata/ahci', 'block/loop', 'block/nbd', 'scsi/sd_mod']
			.concat(['scsi/virtio_scsi', 'hid/hid', 'hid/hid-generic', 'net/virtio_net', 'usb/storage/usb-storage'])
			.map((name) => `drivers/${name}.ko.xz`),
		...['realtek', 'stmicro', 'mediatek', 'broadcom/genet', 'intel/igb', 'intel/igc', 'intel/e1000e'].map(
			(name) => `drivers/net/ethernet/${name}`,
		),
	];
	for (const folder of [...needed, 'drivers/net/ethernet/intel', 'drivers/watchdog', 'fs/overlayfs', 'fs/squashfs']) {
		t.false(
			dropped.some((pattern) => path.matchesGlob(folder, pattern) || folder.startsWith(`${pattern}/`)),
			folder,
		);
	}
});

test('a server keeps the drivers of its cards and of its disks', (t) => {
	const dropped = linesOf('base/modules-dropped.txt');
	const cards = ['intel/ice', 'intel/i40e', 'intel/ixgbe', 'mellanox', 'broadcom/bnxt', 'chelsio', 'qlogic'];
	const disks = ['megaraid/megaraid_sas.ko.xz', 'mpt3sas/mpt3sas.ko.xz', 'hpsa.ko.xz', 'smartpqi/smartpqi.ko.xz'];
	for (const driver of [...cards.map((card) => `net/ethernet/${card}`), ...disks.map((disk) => `scsi/${disk}`)]) {
		t.false(
			dropped.some(
				(pattern) => `drivers/${driver}/`.startsWith(`${pattern}/`) || isBelow(`drivers/${driver}`, pattern),
			),
			driver,
		);
	}
});

/** A glob of a folder takes what is in it. */
const isBelow = (file: string, pattern: string): boolean =>
	file.split('/').some((_, depth, parts) => path.matchesGlob(parts.slice(0, depth + 1).join('/'), pattern));

test('a setting of the kernel is a name and a value', (t) => {
	const names = linesOf('base/overlay/usr/lib/sysctl.d/60-streamverse.conf').map((line) => {
		t.regex(line, /^[a-z0-9_.]+ = \d+$/u);
		return line.split(' ')[0];
	});
	t.is(new Set(names).size, names.length);
});

type Subject = {readonly user: string};
type Rule = (
	action: {readonly id: string; readonly lookup: (name: string) => string | undefined},
	subject: Subject,
) => string;

/** What polkit answers, by the rules as they are. */
const polkitVerdict = (
	id: string,
	user: string,
	details: Readonly<Record<string, string>> = {},
): string | undefined => {
	const rules: Rule[] = [];
	const polkit = {Result: {YES: 'yes', NO: 'no'}, addRule: (rule: Rule) => rules.push(rule)};
	vm.runInNewContext(readFileSync(path.join(overlay, 'etc/polkit-1/rules.d/10-streamverse.rules'), 'utf8'), {polkit});
	const action = {id: `org.freedesktop.${id}`, lookup: (name: string) => details[name]};
	return rules.length === 1 ? rules[0]?.(action, {user}) : 'not one rule';
};

test('the supervisor may restart the machine; nobody else may', (t) => {
	t.is(polkitVerdict('login1.reboot', 'streamverse'), 'yes');
	t.is(polkitVerdict('login1.reboot', 'streamverse-shell'), 'no');
	for (const id of ['login1.power-off', 'login1.halt', 'systemd1.manage-units', 'login1.reboot-ignore-inhibit']) {
		t.is(polkitVerdict(id, 'streamverse'), 'no', id);
	}
});

test('who may order which unit is a short list', (t) => {
	const users = ['streamverse', 'streamverse-role', 'streamverse-shell', 'streamverse-elevate', 'constructor'];
	const verbs = ['start', 'stop', 'restart', 'kill', 'reload', 'set-property'];
	const units = ['streamverse-shell@3', 'streamverse-root-shell@3', 'streamverse-role@2-711-881', 'ssh', 'rauc'];
	const allowed = users.flatMap((user) =>
		verbs.flatMap((verb) =>
			units
				.filter((unit) => polkitVerdict('systemd1.manage-units', user, {verb, unit: `${unit}.service`}) === 'yes')
				.map((unit) => `${user}: ${verb} ${unit}`),
		),
	);
	t.deepEqual(allowed, [
		'streamverse: start streamverse-shell@3',
		'streamverse: stop streamverse-shell@3',
		'streamverse: stop streamverse-root-shell@3',
		'streamverse: kill streamverse-role@2-711-881',
		'streamverse-elevate: start streamverse-root-shell@3',
	]);
	for (const unit of [
		'streamverse-shell@.service',
		'streamverse-shell@3.service\nx',
		'x streamverse-shell@3.service',
	]) {
		t.is(polkitVerdict('systemd1.manage-units', 'streamverse', {verb: 'start', unit}), 'no', unit);
	}
	t.is(
		polkitVerdict('systemd1.manage-unit-files', 'streamverse', {verb: 'start', unit: 'streamverse-shell@3.service'}),
		'no',
	);
});

test('only the supervisor and root speak to RAUC, and nobody by default', (t) => {
	const file = path.join(overlay, 'usr/share/dbus-1/system.d/de.pengutronix.rauc.conf');
	const text = readFileSync(file, 'utf8');
	const policies = [...text.matchAll(/<policy ([^>]*)>/gu)].map(([, who]) => who);
	t.deepEqual(policies, ['user="root"', 'user="streamverse"']);
	t.is([...text.matchAll(/allow own=/gu)].length, 1);
});

for (const kind of boxKinds) {
	test(`a ${kind} has its box file, and a set of ports`, (t) => {
		t.true(existsSync(path.join(profile, kind, 'box.yaml')));
		t.true(existsSync(path.join(profile, kind, 'overlay/etc/nftables.d/role.nft')));
	});
}
