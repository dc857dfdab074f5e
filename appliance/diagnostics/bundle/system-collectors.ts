import type {Collector} from '#appliance/diagnostics/bundle/collector.ts';
import {newestFiles, readSeveral, readTail} from '#appliance/diagnostics/bundle/read-bounded.ts';
import {readSocket} from '#appliance/diagnostics/read-socket.ts';
import {runTool} from '#appliance/diagnostics/run-tool.ts';

const journalLinesMax = 20_000;
const crashFilesMax = 10;
const logFilesMax = 20;

/** Where Debian, systemd and Node leave what a crash left. */
const crashDirectories = ['/var/crash', '/var/lib/systemd/coredump', '/sys/fs/pstore', '/var/lib/systemd/pstore'];

/** Text of a tool; what it had to say on standard error stands below. */
const tool = (name: string, command: string, args: readonly string[] = []): Collector => ({
	name,
	collect: async ({signal, bytesMax}) => {
		const {output, errorText, exitCode} = await runTool(command, {args, bytesMax, signal});
		const tail = errorText === '' && exitCode === 0 ? '' : `\n(${command} ended with ${exitCode}: ${errorText})\n`;
		return output.toString('utf8') + tail;
	},
});

const files = (name: string, filePaths: readonly string[]): Collector => ({
	name,
	collect: async (options) => await readSeveral(filePaths, options),
});

const proc = (...names: readonly string[]): readonly string[] => names.map((name) => `/proc/${name}`);

/** What the operating system knows: the same on every kind of box. */
export const systemCollectors: readonly Collector[] = [
	tool('system/uname.txt', 'uname', ['-a']),
	files('system/release.txt', ['/etc/os-release', ...proc('version', 'cmdline', 'uptime')]),
	files('system/memory.txt', proc('meminfo', 'vmstat', 'loadavg', 'pressure/cpu', 'pressure/memory', 'pressure/io')),
	files('system/cpu.txt', proc('cpuinfo', 'stat', 'interrupts', 'softirqs')),
	tool('system/processes.txt', 'ps', ['-eo', 'pid,ppid,user:20,stat,pcpu,pmem,rss,etimes,wchan:20,comm']),
	tool('system/packages.txt', 'dpkg-query', ['-W']),
	tool('system/units.txt', 'systemctl', ['--no-pager', '--all', 'list-units']),
	tool('disk/free.txt', 'df', ['-kT']),
	tool('disk/inodes.txt', 'df', ['-i']),
	tool('disk/devices.txt', 'lsblk', ['-o', 'NAME,SIZE,TYPE,FSTYPE,MOUNTPOINT,STATE,RO']),
	files('disk/mounts.txt', proc('mounts', 'diskstats')),
	tool('network/addresses.txt', 'ip', ['-s', 'address']),
	tool('network/routes.txt', 'ip', ['route', 'show', 'table', 'all']),
	tool('network/multicast.txt', 'ip', ['maddress']),
	tool('network/sockets.txt', 'ss', ['-tuanm']),
	files('network/counters.txt', proc('net/dev', 'net/snmp', 'net/netstat', 'net/igmp', 'net/udp', 'net/sockstat')),
	tool('dvb/devices.txt', 'ls', ['-lR', '/dev/dvb']),
	tool('dvb/frontends.txt', 'sh', ['-c', 'grep -r . /sys/class/dvb/ 2>/dev/null | head -n 2000']),
	files('host/resolver.txt', ['/etc/resolv.conf', '/etc/hosts', '/etc/timezone']),
	tool('host/time.txt', 'timedatectl', ['show']),
];

/** The kernel's own log, which is there too when the journal's disk is not; by a helper where this process may not read it. */
export const kernelLogCollector = (socketPath: string | undefined): Collector => {
	const name = 'system/dmesg.txt';
	return socketPath === undefined
		? tool(name, 'dmesg', ['--time-format', 'iso'])
		: {name, collect: async (options) => await readSocket(socketPath, options).then(String)};
};

/** The journal of this boot, and of the one before, where a crash is told. */
export const journalCollectors: readonly Collector[] = [
	{boot: '0', name: 'log/journal.txt'},
	{boot: '-1', name: 'log/journal-before.txt'},
].map(({boot, name}) => ({
	...tool(name, 'journalctl', ['--boot', boot, '--lines', `${journalLinesMax}`, '--output', 'short-iso', '--no-pager']),
	bytesMax: 8 * 1024 ** 2,
	deadlineMs: 15_000,
}));

/** What systemd-coredump noted of each crash: of which process, by which signal, and where in its code. */
export const coreDumpCollector: Collector = {
	...tool('crash/core-dumps.txt', 'coredumpctl', ['info', '--no-pager']),
	deadlineMs: 15_000,
};

/** Text reports whole; of memory dumps only names and sizes, because nobody can take the secrets out of memory. */
export const crashCollector = (directories: readonly string[]): Collector => ({
	name: 'crash/reports.txt',
	collect: async (options) => {
		const found = (
			await Promise.all(
				[...crashDirectories, ...directories].map((directory) =>
					newestFiles(directory, {filesMax: crashFilesMax, pattern: /./u}),
				),
			)
		).flat();
		const list = found.map(({path, sizeBytes, modifiedMs}) =>
			[new Date(modifiedMs).toISOString(), sizeBytes, path].join(' '),
		);
		const textual = found.filter(({path}) => /(?:\.(?:txt|log|json)|dmesg[\w.-]*)$/u.test(path));
		const texts = await readSeveral(
			textual.map(({path}) => path),
			options,
		);
		return `${list.join('\n')}\n\n${texts}`;
	},
});

/** The end of each log file of a directory, for boxes without a journal. */
export const logFileCollectors = async (directory: string): Promise<readonly Collector[]> =>
	(await newestFiles(directory, {filesMax: logFilesMax, pattern: /\.log(?:\.\d+)?$/u})).map((file) => ({
		name: `log/${file.path.slice(directory.length).replace(/^\/+/u, '')}`,
		collect: async (options) => String(await readTail(file.path, options)),
	}));
