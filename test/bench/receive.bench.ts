import {execFile} from 'node:child_process';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {z} from 'zod';
import type {Bench} from '#test/bench/bench-row.ts';
import {freeUdpPort} from '#test/helper/free-udp-port.ts';

const program = fileURLToPath(new URL('../../native/build/flute_receive_bench', import.meta.url));
const objects = 8;
const objectMebibytes = 32;
const throughputBar = 0.6;
const growthMebibytesMax = 64;
const laterGrowthMebibytesMax = 8;
const reference = 'bare recvmmsg drain without GRO of the same packets';

const sideSchema = z.object({
	gbps: z.number(),
	cpuSecondsPerGbit: z.number(),
	packets: z.number(),
	kernelDrops: z.number(),
	objects: z.number(),
	residentGrowthMebibytes: z.number(),
});

const longSchema = z.object({
	passes: z.number(),
	objects: z.number(),
	kernelDrops: z.number(),
	gigabits: z.number(),
	residentGrowthMebibytes: z.number(),
});

const resultSchema = z.object({
	packets: z.number(),
	objects: z.number(),
	drain: sideSchema,
	receiver: sideSchema,
	long: longSchema,
});

/** Files on tmpfs, so that the disk is not what is measured. */
const makeDirectory = (): Promise<string> =>
	mkdtemp('/dev/shm/streamverse-').catch(() => mkdtemp(join(tmpdir(), 'streamverse-')));

export const run: Bench = async ({signal, progress}) => {
	const directory = await makeDirectory();
	try {
		progress(`receiving ${objects} objects of ${objectMebibytes} MiB, twice, and then again and again`);
		const port = await freeUdpPort();
		const {stdout} = await promisify(execFile)(
			program,
			[directory, String(port), String(objects), String(objectMebibytes)],
			{signal},
		);
		const {packets, drain, receiver, long} = resultSchema.parse(JSON.parse(stdout));
		const ratio = receiver.gbps / drain.gbps;
		const lost = receiver.kernelDrops + packets - receiver.packets + long.kernelDrops;
		return [
			{
				name: 'receive.throughput',
				value: receiver.gbps,
				unit: 'Gbit/s',
				reference,
				ratio,
				bar: throughputBar,
				pass: ratio >= throughputBar && receiver.objects === objects,
			},
			{
				name: 'receive.cpu',
				value: receiver.cpuSecondsPerGbit,
				unit: 'CPU s/Gbit',
				reference,
				ratio: receiver.cpuSecondsPerGbit / drain.cpuSecondsPerGbit,
			},
			{name: 'receive.lostPackets', value: lost, unit: 'packets', bar: 0, pass: lost === 0},
			{
				name: 'receive.residentGrowth',
				value: receiver.residentGrowthMebibytes,
				unit: 'MiB',
				bar: growthMebibytesMax,
				pass: receiver.residentGrowthMebibytes <= growthMebibytesMax,
			},
			{
				name: 'receive.residentGrowthLater',
				value: long.residentGrowthMebibytes,
				unit: 'MiB',
				reference: `from the first to the last of ${long.passes} passes of one receiver, ${long.gigabits.toFixed(0)} Gbit`,
				bar: laterGrowthMebibytesMax,
				pass: long.residentGrowthMebibytes <= laterGrowthMebibytesMax && long.objects === long.passes * objects,
			},
		];
	} finally {
		await rm(directory, {recursive: true, force: true});
	}
};
