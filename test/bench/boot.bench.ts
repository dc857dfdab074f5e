import {readFile, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {sleep} from '#appliance/time/sleep.ts';
import {makeDisk} from '#image/qemu/run-image.ts';
import {type Machine, startMachine} from '#image/qemu/start-machine.ts';
import type {Bench, BenchOption, BenchRow} from '#test/bench/bench-row.ts';
import {makePlainDebian} from '#test/bench/boot/plain-debian.ts';
import {freePort} from '#test/helper/free-port.ts';
import {type TestOwner, withDirectory} from '#test/helper/with-directory.ts';
import {testImage} from '#test/helper/with-image.ts';

const defaultRounds = 3;
const bootTimeoutMs = 10 * 60_000;
const askIntervalMs = 200;
const askTimeoutMs = 2000;
/** By then the supervisor has loaded what it loads after the role has started. */
const settledMs = 45_000;
const bootRatioBar = 1.3;
const residentBar = 120;
const bundleBar = 180;
const megabyte = 1e6;
const kibibyte = 1024;
/** As our images have it, and what an emulated machine on a busy host needs. */
const kernelArguments =
	'loglevel=4 systemd.show_status=yes console=ttyS0,115200 no_timer_check systemd.default_timeout_start_sec=600';

/**
 * Tells on the console what the supervisor and the agent in it hold in memory: pages that are theirs alone, and their share of
 * the others (PSS). The roles have processes of their own.
 */
const memoryUnit = `[Unit]
After=streamverse.service
[Service]
ExecStart=/bin/sh -c 'while sleep 5; do pid=$(systemctl show --property=MainPID --value streamverse.service); sed -n "s/^Pss: */bench-resident /p" /proc/$pid/smaps_rollup >/dev/ttyS0; done'
[Install]
WantedBy=multi-user.target
`;
const memoryFiles = {
	'usr/lib/systemd/system/streamverse-bench.service': memoryUnit,
	'usr/lib/systemd/system-preset/00-bench.preset': 'enable streamverse-bench.service\n',
};

export const takes: readonly BenchOption[] = ['n'];

/**
 * Boots our set-top to the page that it serves and a plain Debian of the same kernel to its multi-user target, one after the
 * other in the same run. The first boot of each, which makes what a box keeps, is no part of the figures. Each ends by a cut of
 * power, so that both have a file system to look after.
 */
export const run: Bench = async ({n = defaultRounds, signal, progress}) => {
	await using stack = new AsyncDisposableStack();
	const owner: TestOwner = {teardown: (work) => stack.defer(async () => void (await work()))};
	const directory = await withDirectory(owner);
	const image = await testImage({release: '1.0.0', files: memoryFiles});
	const plain = await makePlainDebian({kernelArguments, signal});
	const [ourDisk, plainDisk] = [join(directory, 'ours/disk.img'), join(directory, 'plain/disk.img')];
	await makeDisk(image.diskPath, ourDisk);
	await makeDisk(plain.diskPath, plainDisk);
	const ours: number[] = [];
	const theirs: number[] = [];
	let resident = 0;
	for (let round = 0; round <= n; round += 1) {
		const before = await processorTime();
		const our = await bootOurs(ourDisk, signal);
		const between = await processorTime();
		const their = await bootPlain(plainDisk, signal);
		const [ourLoss, theirLoss] = [stolen(before, between), stolen(between, await processorTime())];
		progress(
			`boot ${round}: ours serves after ${seconds(our.ms)} s${ourLoss}, Debian is up after ${seconds(their)} s${theirLoss}`,
		);
		if (round > 0) {
			ours.push(our.ms);
			theirs.push(their);
			resident = Math.max(resident, our.residentBytes);
		}
	}
	return rowsOf({
		...{ours: median(ours), theirs: median(theirs), kernel: plain.kernel, resident},
		bundle: (await stat(image.bundlePath)).size,
	});
};

const rowsOf = (told: {
	readonly ours: number;
	readonly theirs: number;
	readonly kernel: string;
	readonly resident: number;
	readonly bundle: number;
}): readonly BenchRow[] => {
	const ratio = told.ours / told.theirs;
	return [
		{name: 'a plain Debian, from power to multi-user', value: told.theirs / 1000, unit: 's', reference: told.kernel},
		{
			...{name: 'a set-top, from power to serving', value: told.ours / 1000, unit: 's', reference: 'the plain Debian'},
			...{ratio, bar: bootRatioBar, pass: ratio <= bootRatioBar},
		},
		{
			...{name: 'the management plane in memory', value: told.resident / megabyte, unit: 'MB'},
			...{bar: residentBar, pass: told.resident > 0 && told.resident / megabyte < residentBar},
		},
		{
			...{name: 'an update of all', value: told.bundle / megabyte, unit: 'MB'},
			...{bar: bundleBar, pass: told.bundle / megabyte <= bundleBar},
		},
	];
};

type ProcessorTime = {readonly stolen: number; readonly all: number};

/** proc_stat(5), first line: what this machine's processors spent since it started, and what its own host kept from them. */
const processorTime = async (): Promise<ProcessorTime> => {
	const [line = ''] = (await readFile('/proc/stat', 'utf8')).split('\n', 1);
	// The last two, of guests, are part of the first two.
	const spent = line.trim().split(/\s+/u).slice(1, 9).map(Number);
	return {stolen: spent[7] ?? 0, all: spent.reduce((sum, part) => sum + part, 0)};
};

/** A figure beside which much was stolen is one of the host. */
const stolen = (before: ProcessorTime, after: ProcessorTime): string => {
	const percent = Math.round((100 * (after.stolen - before.stolen)) / Math.max(1, after.all - before.all));
	return percent > 0 ? ` (host took ${percent} %)` : '';
};

const switchOn = async (
	diskPath: string,
	forwards: Readonly<Record<number, number>>,
	signal: AbortSignal,
): Promise<Machine> =>
	await startMachine({
		...{diskPath, architecture: 'amd64', stateDirectory: join(diskPath, '..'), forwards, signal},
	});

const bootOurs = async (
	diskPath: string,
	signal: AbortSignal,
): Promise<{readonly ms: number; readonly residentBytes: number}> => {
	const port = await freePort();
	const startedMs = performance.now();
	await using machine = await switchOn(diskPath, {[port]: 80}, signal);
	await served(`http://127.0.0.1:${port}/`, AbortSignal.any([signal, AbortSignal.timeout(bootTimeoutMs)]));
	const ms = performance.now() - startedMs;
	await sleep(settledMs, {signal});
	const told = machine.serial.lines().map((line) => /bench-resident (\d+) kB/u.exec(line)?.[1]);
	const kibibytes = told.findLast((size) => size !== undefined) ?? Number.NaN;
	await machine.cutPower();
	return {ms, residentBytes: Number(kibibytes) * kibibyte};
};

const bootPlain = async (diskPath: string, signal: AbortSignal): Promise<number> => {
	const startedMs = performance.now();
	await using machine = await switchOn(diskPath, {}, signal);
	await machine.serial.waitFor(/Reached target .*multi-user\.target/u, {timeoutMs: bootTimeoutMs, signal});
	const ms = performance.now() - startedMs;
	await machine.cutPower();
	return ms;
};

const served = async (url: string, signal: AbortSignal): Promise<void> => {
	for (;;) {
		signal.throwIfAborted();
		const response = await fetch(url, {signal: AbortSignal.any([signal, AbortSignal.timeout(askTimeoutMs)])}).catch(
			() => undefined,
		);
		if (response?.status === 200) {
			return;
		}
		await sleep(askIntervalMs, {signal});
	}
};

const median = (values: readonly number[]): number =>
	values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;

const seconds = (ms: number): string => (ms / 1000).toFixed(1);
