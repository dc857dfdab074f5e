import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {existsSync} from 'node:fs';
import {copyFile, mkdir} from 'node:fs/promises';
import path from 'node:path';
import {CodedError} from '#appliance/error/coded-error.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {ImageErrorCode} from '#image/error-code.ts';
import type {Architecture} from '#image/make/recipe.ts';
import {type MachineProfile, machineProfiles} from '#image/qemu/machine-profile.ts';
import {openSerialLog, type SerialLog} from '#image/qemu/serial-log.ts';

export type MachineOptions = {
	/** A raw disk, which the machine writes to. */
	readonly diskPath: string;
	/** What the disk is plugged into; default: virtio. */
	readonly diskBus?: 'virtio' | 'usb';
	readonly architecture: Architecture;
	/** For the firmware's variables, which outlive a power cut as the disk does. */
	readonly stateDirectory: string;
	readonly memoryMegabytes?: number;
	/** Ports of the box that can be reached on loopback: host's port by the box's. */
	readonly forwards?: Readonly<Record<number, number>>;
	/** Port of a multicast group on loopback that is a cable between machines. */
	readonly cablePort?: number;
	/** Of the cable's card; each machine needs its own. */
	readonly cableAddress?: string;
	/** Which firmware starts the machine; default: EDK II, which a PC has as well. */
	readonly firmware?: 'u-boot' | undefined;
	/** Enforces Secure Boot with the keys of these variables (`enrolKeys`), which the machine copies. */
	readonly firmwareVariables?: string | undefined;
	readonly extraArguments?: readonly string[];
	/** Told each line of the serial console. */
	readonly onLine?: (line: string) => void;
	readonly signal: AbortSignal;
};

export type Machine = AsyncDisposable & {
	readonly serial: SerialLog;
	/** As if the plug were pulled: nothing is written after it. */
	readonly cutPower: () => Promise<void>;
	/** Settles when the machine ended by itself. */
	readonly ended: Promise<number | null>;
	/** What QEMU has against what it was told, such as a port that is taken or a disk that another machine writes to. */
	readonly complaint: () => string;
};

const firmwareDirectories = ['/usr/share/OVMF', '/usr/share/AAVMF'];
const killTimeoutMs = 10_000;

/**
 * Boots a disk image in QEMU. Always by TCG: a machine with a `/dev/kvm` that only pretends hangs a kernel, and nothing tells
 * it beforehand. What the guest writes and QEMU has acknowledged is in the file, so that ending QEMU is a power cut.
 * @throws CodedError IMAGE_TOOL_MISSING, IMAGE_MACHINE_FAILED
 */
export const startMachine = async (options: MachineOptions): Promise<Machine> => {
	const {stateDirectory, signal} = options;
	signal.throwIfAborted();
	const profile = machineProfiles[options.architecture];
	await mkdir(stateDirectory, {recursive: true});
	const variables = path.join(stateDirectory, 'variables.fd');
	if (!existsSync(variables)) {
		await copyFile(options.firmwareVariables ?? firmwareFile(profile.variables), variables);
	}
	// A machine does not outlive who started it, however that ended.
	const command = ['--pdeathsig', 'KILL', profile.command, ...machineArguments(options, profile, variables)];
	const child = spawn('setpriv', command, {stdio: ['ignore', 'pipe', 'pipe']});
	const serial = openSerialLog(child.stdout, {onLine: options.onLine});
	let errorText = '';
	child.stderr.setEncoding('utf8').on('data', (text: string) => {
		errorText = (errorText + text).slice(-2000);
	});
	const ended = once(child, 'exit').then(
		([code]) => {
			serial.end(`QEMU has ended (${code}). ${errorText.trim()}`);
			return code as number | null;
		},
		(error: unknown) => {
			serial.end(`QEMU cannot be run: ${String(error)}`);
			return null;
		},
	);
	const cutPower = async (): Promise<void> => {
		if (isRunning(child)) {
			child.kill('SIGKILL');
			await Promise.race([
				ended,
				sleep(killTimeoutMs, {signal: AbortSignal.timeout(killTimeoutMs)}).catch(() => undefined),
			]);
		}
	};
	const onAbort = (): void => void child.kill('SIGKILL');
	signal.addEventListener('abort', onAbort, {once: true});
	return {
		serial,
		cutPower,
		ended,
		complaint: () => errorText.trim(),
		[Symbol.asyncDispose]: async () => {
			signal.removeEventListener('abort', onAbort);
			await cutPower();
		},
	};
};

const isRunning = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null;

const diskArguments = {
	virtio: (drive: string) => ['-drive', `if=virtio,${drive}`],
	usb: (drive: string) => [
		...['-drive', `if=none,id=box,${drive}`, '-device', 'qemu-xhci,id=box-hub'],
		...['-device', 'usb-storage,bus=box-hub.0,drive=box,bootindex=0'],
	],
} as const;

const machineArguments = (options: MachineOptions, profile: MachineProfile, variables: string): readonly string[] => {
	const {diskPath, memoryMegabytes = 1024, forwards = {}, cablePort, cableAddress} = options;
	const secure = options.firmwareVariables === undefined ? undefined : profile.secure;
	const forward = Object.entries(forwards).map(([host, box]) => `,hostfwd=tcp:127.0.0.1:${host}-:${box}`);
	return [
		...profile.arguments,
		...(secure?.arguments ?? []),
		...['-m', String(memoryMegabytes), '-display', 'none', '-serial', 'stdio', '-monitor', 'none', '-no-user-config'],
		...(options.firmware === 'u-boot'
			? ['-bios', uBootOf(profile)]
			: [
					...['-drive', `if=pflash,format=raw,readonly=on,file=${firmwareFile(secure?.code ?? profile.code)}`],
					...['-drive', `if=pflash,format=raw,file=${variables}`],
				]),
		...diskArguments[options.diskBus ?? 'virtio'](`format=raw,cache=writeback,file=${diskPath}`),
		...['-nic', `user,model=virtio-net-pci,mac=52:54:00:00:00:01${forward.join('')}`],
		...(cablePort === undefined
			? []
			: [
					...['-netdev', `socket,id=cable,mcast=230.0.0.1:${cablePort},localaddr=127.0.0.1`],
					...['-device', `virtio-net-pci,netdev=cable,mac=${cableAddress ?? '52:54:00:00:01:01'}`],
				]),
		...(options.extraArguments ?? []),
	];
};

const firmwareFile = (name: string): string =>
	firstFile(
		name,
		firmwareDirectories.map((folder) => path.join(folder, name)),
	);

const uBootOf = ({command, uBoot}: MachineProfile): string =>
	firstFile(`U-Boot of ${command}`, uBoot === undefined ? [] : [uBoot]);

const firstFile = (name: string, files: readonly string[]): string => {
	const found = files.find((file) => existsSync(file));
	if (found === undefined) {
		throw new CodedError<ImageErrorCode>('IMAGE_TOOL_MISSING', {
			message: `The firmware ${name} is missing; ./streamverse installs it from the lists of apt packages.`,
		});
	}
	return found;
};
