import {execFileSync, spawnSync} from 'node:child_process';
import {
	chmodSync,
	existsSync,
	mkdirSync,
	readFileSync,
	rmSync,
	symlinkSync,
	truncateSync,
	writeFileSync,
} from 'node:fs';
import path from 'node:path';
import type {ExecutionContext} from 'ava';
import {withDirectory} from '#test/helper/with-directory.ts';
import {readInitrdScript} from '#test/image/initrd/initrd-script.ts';

const script = readInitrdScript('scripts/init-bottom/streamverse-state');
const mountData = script.part(/^data=.*?^mount_data\(\) \{.*?^\}/msu);
export const dataBytes = 64 * 1024 * 1024;
const diskBytes = dataBytes * 2;
const sectorBytes = 512;
const systemDirectory = 'sys/devices/sda/sda2';

/** Programs that change a disk, each a place at which the power may go. */
const changing = ['touch', 'dd', 'mkfs.ext4', 'tune2fs', 'rm', 'sfdisk', 'resize2fs'] as const;

type Boot = {
	/** Why the box goes on in memory; undefined when it keeps what it has. */
	readonly lost: string | undefined;
	/** The changing programs that were run. */
	readonly ran: readonly string[];
	readonly said: string;
	/** The power went. */
	readonly isCut: boolean;
};

type BootOptions = {
	/** Before the changing program of that number, from one. */
	readonly cutBefore?: number;
	/** Instead of the programs of these names, lines of a shell. */
	readonly instead?: Readonly<Record<string, string>>;
};

export type DataPartition = {
	/** The partition itself, as a file. */
	readonly file: string;
	readonly disk: string;
	/** The root of its file system, and what is on the EFI system partition, as folders: nothing is mounted. */
	readonly mounted: string;
	readonly espDirectory: string;
	readonly boot: (options?: BootOptions) => Boot;
	readonly label: () => string | undefined;
};

/** A disk and the boots of its box: the script's own functions and the real programs, without a kernel's devices and mounts. */
export const withDataPartition = async (t: ExecutionContext): Promise<DataPartition> => {
	const root = await withDirectory(t);
	const [disk, file, espDirectory] = ['dev/sda', 'dev/sda2', 'run/esp/EFI/streamverse'].map((name) =>
		path.join(root, name),
	) as [string, string, string];
	makeDisk(root, {disk, file});
	const tools = {directory: path.join(root, 'tools'), instead: path.join(root, 'instead')};
	const [told, left] = [path.join(root, 'told'), path.join(root, 'left')];
	writeTools(tools, {told, left});
	writePartx(tools.directory, {root, disk, file});
	const lostFile = path.join(root, 'run/streamverse/state-lost');
	return {
		...{file, disk, espDirectory},
		mounted: path.join(root, 'root/data'),
		boot: ({cutBefore = 0, instead = {}} = {}) => {
			execFileSync(path.join(tools.directory, 'partx'));
			rmSync(lostFile, {force: true});
			rmSync(tools.instead, {recursive: true, force: true});
			for (const [name, lines] of Object.entries(instead)) {
				writeProgram(path.join(tools.instead, name), lines);
			}
			writeFileSync(told, '');
			writeFileSync(left, `${cutBefore}`);
			const env = {...process.env, PATH: `${tools.directory}:${process.env['PATH']}`};
			const {status, signal, stdout, stderr} = spawnSync('sh', ['-euc', bootScript(root)], {encoding: 'utf8', env});
			const isCut = signal === 'SIGKILL';
			t.true(isCut || status === 0, stdout + stderr);
			return {
				...{said: stdout, isCut},
				lost: existsSync(lostFile) ? readFileSync(lostFile, 'utf8').trim() : undefined,
				ran: readFileSync(told, 'utf8').split('\n').slice(0, -1),
			};
		},
		label: () => {
			const {stdout} = spawnSync('dumpe2fs', ['-h', file], {encoding: 'utf8'});
			return /^Filesystem volume name: +(\S+)$/mu.exec(stdout)?.[1];
		},
	};
};

const makeDisk = (root: string, {disk, file}: {readonly disk: string; readonly file: string}): void => {
	const directories = [
		'dev',
		'root/data',
		'run/esp/EFI/streamverse',
		'run/initramfs',
		'sys/class/block',
		systemDirectory,
	];
	for (const directory of directories) {
		mkdirSync(path.join(root, directory), {recursive: true});
	}
	symlinkSync('../../devices/sda/sda2', path.join(root, 'sys/class/block/sda2'));
	writeFileSync(path.join(root, systemDirectory, 'partition'), '2\n');
	for (const [name, bytes] of [
		[disk, diskBytes],
		[file, dataBytes],
	] as const) {
		writeFileSync(name, '');
		truncateSync(name, bytes);
	}
	const table = ['label: gpt', 'size=16M, name=esp', `size=${dataBytes / sectorBytes}, name=data`];
	execFileSync('sfdisk', ['--quiet', disk], {input: table.join('\n')});
};

const bootScript = (root: string): string =>
	[
		`export BOX=$$ rootmnt=${root}/root`,
		...['log_failure_msg', 'log_warning_msg'].map((name) => `${name}() { echo "$*"; }`),
		// They are of a kernel, or wait for a disk that is none.
		...['mount', 'umount', 'udevadm', 'sync'].map((name) => `${name}() { :; }`),
		mountData
			.replaceAll(/\/dev\/(?!null)/gu, `${root}/dev/`)
			.replaceAll('/run/', `${root}/run/`)
			.replaceAll('/sys/', `${root}/sys/`)
			.replace('[ -b ', '[ -f ')
			.replace('streamverse/data', 'sda2'),
		'mount_data',
	].join('\n');

/** In front of the real ones; what only reads is let through. */
const writeTools = (
	{directory, instead}: {readonly directory: string; readonly instead: string},
	{told, left}: {readonly told: string; readonly left: string},
): void => {
	for (const name of changing) {
		const real = programOf(name);
		const lines = [
			`[ ! -x ${instead}/${name} ] || exec ${instead}/${name} "$@"`,
			`case " $*" in ${name === 'dd' ? `*of=/dev/null*) exec ${real} "$@" ;; *" of="*) ;; *) exec ${real} "$@"` : '*)'} ;; esac`,
			`left=$(($(cat ${left}) - 1))`,
			`echo "$left" >${left}`,
			'[ "$left" -ne 0 ] || { kill -KILL "$BOX"; exit 1; }',
			`echo ${name} >>${told}`,
			`exec ${real} "$@"`,
		];
		writeProgram(path.join(directory, name), lines.join('\n'));
	}
};

/** What the kernel says of a disk and its partition, as the table of partitions has it. */
const writePartx = (
	directory: string,
	{root, disk, file}: {readonly root: string; readonly disk: string; readonly file: string},
): void => {
	const lines = [
		'set -eu',
		`set -- $(${programOf('sfdisk')} --list --output Start,Sectors ${disk} 2>/dev/null | tail -n 1)`,
		`cd ${root}/${systemDirectory}`,
		'echo "$1" >start',
		'echo "$2" >size',
		`echo $(($(stat -c %s ${disk}) / ${sectorBytes})) >../size`,
		`truncate -s $(($2 * ${sectorBytes})) ${file}`,
	];
	writeProgram(path.join(directory, 'partx'), lines.join('\n'));
};

const programOf = (name: string): string => execFileSync('sh', ['-c', `command -v ${name}`], {encoding: 'utf8'}).trim();

const writeProgram = (file: string, lines: string): void => {
	mkdirSync(path.dirname(file), {recursive: true});
	writeFileSync(file, `#!/bin/sh\n${lines}\n`);
	chmodSync(file, 0o755);
};
