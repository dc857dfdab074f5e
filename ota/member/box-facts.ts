import {randomUUID} from 'node:crypto';
import {readFile, statfs} from 'node:fs/promises';
import {cpus, networkInterfaces, totalmem, uptime} from 'node:os';
import type {FleetConfig} from '#appliance/config/fleet-config-schema.ts';
import type {ReportedFacts} from '#appliance/contract/fleet/reported-schema.ts';

const textCharsMax = 256;
const addressesMax = 64;

/** Of the machine's boot; where the development installer stands in for a machine, of the supervisor's start. */
export const readBootId = async (installer: FleetConfig['installer']): Promise<string> => {
	if (installer.kind === 'directory') {
		return randomUUID();
	}
	const id = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => randomUUID());
	return id.trim();
};

export const bootedMs = (nowMs: number, installer: FleetConfig['installer']): number =>
	installer.kind === 'directory' ? nowMs : Math.round(nowMs - uptime() * 1000);

export const readHardware = async (
	{model, serial}: FleetConfig,
	stateDirectory: string,
): Promise<ReportedFacts['hardware']> => {
	const disk = await statfs(stateDirectory).catch(() => undefined);
	const [first] = cpus();
	return {
		model,
		...(serial === undefined ? {} : {serial}),
		cpu: (first?.model ?? process.arch).slice(0, textCharsMax),
		cpuCount: Math.max(1, cpus().length),
		memoryBytes: totalmem(),
		diskBytes: disk === undefined ? 0 : disk.blocks * disk.bsize,
	};
};

export const readAddresses = (): ReportedFacts['addresses'] =>
	Object.entries(networkInterfaces())
		.flatMap(([name, addresses = []]) =>
			addresses.filter(({internal}) => !internal).map(({address}) => ({interface: name.slice(0, 64), address})),
		)
		.slice(0, addressesMax);

export const timeZoneOf = ({timeZone}: FleetConfig): string =>
	timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
