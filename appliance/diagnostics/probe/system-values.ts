import {readdir, readFile, statfs} from 'node:fs/promises';
import {cpus, freemem, loadavg, totalmem, uptime} from 'node:os';

export type MetricValues = Readonly<Record<string, number>>;

/** Counters of the kernel as they stood at the last sample, from which shares and rates are made. */
export type SystemMarks = {readonly busyTicks: number; readonly allTicks: number};

const text = (filePath: string): Promise<string> => readFile(filePath, 'utf8').catch(() => '');

/** Everything the operating system tells in files; what is not there is left out. */
export const readSystemValues = async (options: {
	readonly stateDirectory: string;
	readonly before: SystemMarks | undefined;
}): Promise<{readonly values: MetricValues; readonly marks: SystemMarks}> => {
	const marks = parseCpuTicks(await text('/proc/stat'));
	const [disk, network, temperature, available, own] = await Promise.all([
		diskValues(options.stateDirectory),
		text('/proc/net/dev').then(parseNetworkCounters),
		hottestSensor(),
		text('/proc/meminfo').then((meminfo) => /^MemAvailable:\s+(\d+) kB/mu.exec(meminfo)?.[1]),
		text('/proc/self/smaps_rollup').then(parseOwnMemory),
	]);
	const values = {
		load_1min: loadavg()[0] ?? 0,
		cpu_count: cpus().length,
		...cpuShare(options.before, marks),
		memory_total_bytes: totalmem(),
		memory_available_bytes: available === undefined ? freemem() : Number(available) * 1024,
		uptime_seconds: Math.round(uptime()),
		...own,
		...disk,
		...network,
		...(temperature === undefined ? {} : {temperature_celsius: temperature}),
	};
	return {values, marks};
};

/** The first line of /proc/stat (proc(5)): ticks of user, nice, system, idle, iowait, irq, softirq, steal. */
export const parseCpuTicks = (stat: string): SystemMarks => {
	const ticks = (/^cpu +(.*)$/mu.exec(stat)?.[1] ?? '').split(' ').slice(0, 8).map(Number);
	const allTicks = ticks.reduce((sum, tick) => sum + (Number.isFinite(tick) ? tick : 0), 0);
	return {allTicks, busyTicks: allTicks - (ticks[3] ?? 0) - (ticks[4] ?? 0)};
};

/**
 * /proc/<pid>/smaps_rollup (proc(5)) of the supervisor: all that it holds in memory; of that its share, in which a page of a
 * file counts as much as there are not others who use it too; and what is no file's.
 */
export const parseOwnMemory = (rollup: string): MetricValues => {
	const names = {Rss: 'resident', Pss: 'proportional', Anonymous: 'anonymous'};
	return Object.fromEntries(
		Object.entries(names).flatMap(([field, name]) => {
			const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'mu').exec(rollup)?.[1];
			return kilobytes === undefined ? [] : [[`supervisor_${name}_bytes`, Number(kilobytes) * 1024]];
		}),
	);
};

const cpuShare = (before: SystemMarks | undefined, after: SystemMarks): MetricValues => {
	const allTicks = after.allTicks - (before?.allTicks ?? 0);
	return before === undefined || allTicks <= 0
		? {}
		: {cpu_busy_ratio: Math.min(1, Math.max(0, (after.busyTicks - before.busyTicks) / allTicks))};
};

const diskValues = async (directory: string): Promise<MetricValues> => {
	try {
		const {bavail, blocks, bsize, ffree, files} = await statfs(directory);
		return {
			disk_free_bytes: bavail * bsize,
			disk_free_ratio: blocks === 0 ? 0 : bavail / blocks,
			...(files === 0 ? {} : {inode_free_ratio: ffree / files}),
		};
	} catch {
		return {};
	}
};

/** /proc/net/dev: eight columns received, eight sent; of all interfaces but the loopback. */
export const parseNetworkCounters = (dev: string): MetricValues => {
	const sums = {
		network_received_bytes: 0,
		network_received_errors: 0,
		network_sent_bytes: 0,
		network_dropped_packets: 0,
	};
	for (const [, name, columns] of dev.matchAll(/^\s*([\w.@-]+):\s*(.*)$/gmu)) {
		const numbers = (columns ?? '').trim().split(/\s+/u).map(Number);
		if (name !== 'lo' && numbers.length >= 12 && numbers.every(Number.isFinite)) {
			sums.network_received_bytes += numbers[0] ?? 0;
			sums.network_received_errors += numbers[2] ?? 0;
			sums.network_dropped_packets += (numbers[3] ?? 0) + (numbers[11] ?? 0);
			sums.network_sent_bytes += numbers[8] ?? 0;
		}
	}
	return sums;
};

/** Sensors tell thousandths of a degree; one that is broken tells nonsense, which is left out. */
const plausible = (celsius: number): boolean => Number.isFinite(celsius) && celsius > -60 && celsius < 200;

const hottestSensor = async (): Promise<number | undefined> => {
	const [zones, monitors] = await Promise.all([
		readdir('/sys/class/thermal').catch(() => []),
		readdir('/sys/class/hwmon').catch(() => []),
	]);
	const paths = [
		...zones.filter((name) => name.startsWith('thermal_zone')).map((name) => `/sys/class/thermal/${name}/temp`),
		...monitors.map((name) => `/sys/class/hwmon/${name}/temp1_input`),
	];
	const celsius = (await Promise.all(paths.map(text)))
		.filter((value) => value.trim() !== '')
		.map((value) => Number(value) / 1000)
		.filter(plausible);
	return celsius.length === 0 ? undefined : Math.max(...celsius);
};
