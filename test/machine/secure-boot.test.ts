import {execFileSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {developmentKeysDirectory, openImageKeys} from '#image/make/image-keys.ts';
import {imageDirectory} from '#image/make/recipe.ts';
import {enrolKeys} from '#image/qemu/enrol-keys.ts';
import {makeDisk} from '#image/qemu/run-image.ts';
import {type Machine, startMachine} from '#image/qemu/start-machine.ts';
import {partitionOf} from '#test/helper/box-disk.ts';
import {
	bootLoader,
	changeFile,
	copySlot,
	flipBit,
	flipRootBit,
	kernelOf,
	putFile,
	setVariables,
} from '#test/helper/damage-disk.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {testImage} from '#test/helper/with-image.ts';
import {bootTimeoutMs, withMachine, withMachineFleet} from '#test/helper/with-machine.ts';

const testTimeoutMs = 50 * 60_000;
/** The firmware alone takes half a minute where others are busy. */
const firmwareTimeoutMs = 3 * 60_000;
const dataPartition = 8;

const run = (command: string, ...args: readonly string[]): string =>
	execFileSync(command, args, {encoding: 'utf8', stdio: 'pipe'});

const keyPath = (name: string): string => path.join(developmentKeysDirectory, name);

/** Variables of a firmware that starts what our own db signed, and nothing else. */
const withOwnKeys = async (t: ExecutionContext): Promise<string> => {
	openImageKeys(developmentKeysDirectory, {make: true});
	const read = (name: string): string => readFileSync(keyPath(`${name}.pem`), 'utf8');
	const file = path.join(await withDirectory(t), 'enrolled.fd');
	const template = readFileSync('/usr/share/OVMF/OVMF_VARS_4M.fd');
	writeFileSync(file, enrolKeys(template, {PK: read('PK'), KEK: read('KEK'), db: read('db')}));
	return file;
};

/** The disk of a box that is switched on under Secure Boot as often as a test wants. */
const withSecureDisk = async (
	t: ExecutionContext,
): Promise<{readonly disk: string; readonly start: () => Promise<Machine>}> => {
	t.timeout(testTimeoutMs);
	const image = await testImage({release: '1.0.0'});
	const directory = await withDirectory(t);
	const disk = path.join(directory, 'disk.img');
	await makeDisk(image.diskPath, disk);
	const firmwareVariables = await withOwnKeys(t);
	const start = (): Promise<Machine> =>
		startMachine({
			...{diskPath: disk, architecture: 'amd64', stateDirectory: directory, firmwareVariables},
			signal: AbortSignal.timeout(testTimeoutMs),
		});
	return {disk, start};
};

/** What can be wrong with a signed program. KEK is one of the firmware's keys, but none that it starts programs by. */
const faults = {
	unsigned: (file: string): void => void run('sbattach', '--remove', file),
	'signed by another key': (file: string): void => {
		run('sbattach', '--remove', file);
		run('sbsign', '--key', keyPath('KEK.key'), '--cert', keyPath('KEK.pem'), '--output', file, file);
	},
	'changed in one bit': flipBit,
} as const;

/** What the kernel said, of the journal on the data partition of a machine that runs. */
const kernelLog = async (t: ExecutionContext, disk: string): Promise<string> => {
	const directory = await withDirectory(t);
	const device = `${disk}?offset=${partitionOf(disk, dataPartition).offsetBytes}`;
	run('debugfs', '-R', `rdump /state/var/log/journal ${directory}`, device);
	return run('journalctl', '--directory', path.join(directory, 'journal'), '--dmesg', '--output=cat');
};

const within = (timeoutMs: number): {readonly timeoutMs: number; readonly signal: AbortSignal} => ({
	...{timeoutMs, signal: AbortSignal.timeout(testTimeoutMs)},
});

test.serial('the firmware starts no GRUB that is unsigned, signed by another key or changed', async (t) => {
	const {disk, start} = await withSecureDisk(t);
	const sound = path.join(await withDirectory(t), 'sound.efi');
	await changeFile(bootLoader(disk), (file) => run('cp', file, sound));
	for (const [fault, apply] of Object.entries(faults)) {
		putFile(bootLoader(disk), sound);
		await changeFile(bootLoader(disk), apply);
		await using machine = await start();
		const [told] = await machine.serial.waitFor(
			/failed to (?:load|start) Boot.*(?:Access Denied|Security Violation)|Welcome to GRUB/u,
			within(firmwareTimeoutMs),
		);
		t.not(told, 'Welcome to GRUB', fault);
	}
	putFile(bootLoader(disk), sound);
	await using machine = await start();
	await machine.serial.waitFor(/Welcome to GRUB/u, within(firmwareTimeoutMs));
});

test.serial(
	'neither GRUB nor the firmware starts a kernel that is unsigned, signed by another key or changed',
	async (t) => {
		const {disk, start} = await withSecureDisk(t);
		copySlot(disk, 'A', 'B');
		// GRUB finds a change by its own signature. What has a right one of those is the firmware's to refuse.
		await changeFile(kernelOf(disk, 'A'), faults['changed in one bit']);
		for (const [slot, fault] of [
			['B', 'unsigned'],
			['R', 'signed by another key'],
		] as const) {
			const kernel = kernelOf(disk, slot);
			await changeFile(kernel, (file) => {
				faults[fault](file);
				const script = path.join(imageDirectory, 'key/sign-openpgp.sh');
				const signature = execFileSync(script, ['sign', keyPath('db.key'), keyPath('db.pem'), file], {
					env: {...process.env, SOURCE_DATE_EPOCH: '1'},
				});
				writeFileSync(`${file}.sig`, signature);
				putFile({...kernel, name: `${kernel.name}.sig`}, `${file}.sig`);
			});
		}
		await setVariables(disk, ['B_OK=1']);
		await using machine = await start();
		await machine.serial.waitFor(/no slot can be loaded/u, within(firmwareTimeoutMs));
		const told = machine.serial.lines().join('\n');
		t.regex(told, /boot slot A(?:(?!boot slot)[\s\S])*bad signature(?:(?!boot slot)[\s\S])*slot A cannot be loaded/u);
		for (const slot of ['B', 'R']) {
			const refused =
				'boot slot X(?:(?!boot slot)[\\s\\S])*cannot load image(?:(?!boot slot)[\\s\\S])*slot X cannot be loaded';
			t.regex(told, new RegExp(refused.replaceAll('X', slot), 'u'));
		}
		t.notRegex(told, /EFI stub/u);
	},
);

test.serial('an image works under Secure Boot with its operator’s keys, and its kernel is locked down', async (t) => {
	t.timeout(testTimeoutMs);
	const image = await testImage({release: '1.0.0'});
	const fleet = await withMachineFleet(t);
	const firmwareVariables = await withOwnKeys(t);
	const machine = await withMachine(t, {fleet, image, id: 'stb-secure', firmwareVariables});
	await machine.until('it is healthy', ({presence, reported}) => presence === 'online' && reported?.healthy === true);
	t.true(machine.lines().some((line) => /UEFI Secure Boot is enabled/u.test(line)));
	await eventually(
		'the kernel tells of the lockdown',
		async () => /Kernel is locked down from EFI Secure Boot/u.test(await kernelLog(t, machine.diskPath)),
		{timeoutMs: bootTimeoutMs, intervalMs: 5000},
	);
});

test.serial('a root with one changed bit does not come up, and after three tries the other slot does', async (t) => {
	const {disk, start} = await withSecureDisk(t);
	copySlot(disk, 'A', 'B');
	flipRootBit(disk, 'A');
	await setVariables(disk, ['B_OK=1']);
	await using machine = await start();
	await machine.serial.waitFor(/Success: slot B/u, within(4 * bootTimeoutMs));
	await machine.serial.waitFor(/Welcome to Debian/u, within(bootTimeoutMs));
	const started = machine.serial.lines().flatMap((line) => {
		const [, slot, tries] = /^.*?boot slot ([ABR]), .*? A ok 1 try (\d)/u.exec(line) ?? [];
		return slot === undefined ? [] : [`${slot} with A tried ${tries}`];
	});
	t.deepEqual([...new Set(started)], ['A with A tried 1', 'A with A tried 2', 'A with A tried 3', 'B with A tried 3']);
	const comeUp = machine.serial.lines().filter((line) => line.includes('Welcome to Debian'));
	t.is(comeUp.length, 1, 'no start of slot A came so far');
});
