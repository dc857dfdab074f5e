import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readdir} from 'node:fs/promises';
import {setTimeout as sleep} from 'node:timers/promises';
import {z} from 'zod';
import {openTuner} from '#native/dvb/dvb.ts';
import {listTuners} from '#native/dvb/kernel-tuner.ts';
import {scanCarriers} from '#native/dvb/scan.ts';
import {type Antenna, type SatelliteTuning, type Tuner, universalLnb} from '#native/dvb/tuner.ts';
import {waitForLock} from '#native/dvb/wait-for-lock.ts';
import {watchTuners} from '#native/dvb/watch-tuners.ts';

/** Runs in the machine that has the virtual adapter, as root, and tells the console what it finds: a line for each step. */
const signal = AbortSignal.timeout(8 * 60_000);
const antenna: Antenna = {lnb: universalLnb};
const transponder: SatelliteTuning = {
	...{system: 'DVB-S2', frequencyKhz: 11_727_500, polarization: 'vertical', symbolRate: 27_500_000},
	...{modulation: '8PSK', codeRate: '3/4'},
};
/** Where the driver has so weak a signal that it drops the lock, and where it has none. */
const beside: SatelliteTuning = {...transponder, frequencyKhz: transponder.frequencyKhz + 500};
const elsewhere: SatelliteTuning = {...transponder, frequencyKhz: 11_900_000};
const musicPid = 273;
const lockTimeoutMs = 20_000;
const packetBytes = 188;
const readBytesMin = 2_000_000;
const devices = '/sys/bus/platform/devices';

const tell = (step: string, facts: unknown): void => {
	process.stdout.write(`\nVIDTV ${JSON.stringify({step, facts})}\n`);
};

const lockOn = async (tuner: Tuner, tuning: SatelliteTuning, timeoutMs = lockTimeoutMs) => {
	await tuner.tune(tuning, antenna, {signal});
	return await waitForLock(tuner, {timeoutMs, signal});
};

const readStream = async (tuner: Tuner): Promise<object> => {
	const reading = tuner.read({pids: 'all', signal});
	const startedMs = performance.now();
	const pids = new Map<number, number>();
	let [bytes, outOfStep] = [0, 0];
	for await (const chunk of reading) {
		for (let at = 0; at + packetBytes <= chunk.length; at += packetBytes) {
			outOfStep += chunk[at] === 0x47 ? 0 : 1;
			const pid = chunk.readUInt16BE(at + 1) & 0x1fff;
			pids.set(pid, (pids.get(pid) ?? 0) + 1);
		}
		bytes += chunk.length;
		if (bytes >= readBytesMin) {
			break;
		}
	}
	const pidList = [...pids.keys()].toSorted((one, other) => one - other);
	return {bytes, outOfStep, pids: pidList, ms: Math.round(performance.now() - startedMs), stats: reading.stats()};
};

const readSome = async (tuner: Tuner): Promise<object> => {
	const pes = tuner.pes({pid: musicPid, signal});
	const some = tuner.read({pids: [musicPid], signal});
	const sections = tuner.sections({pid: 18, signal});
	const [first, packets, section] = await Promise.all([pes.next(), some.next(), sections.next()]);
	const foreign = packets.value?.some(
		(_, at, all) => at % packetBytes === 0 && (all.readUInt16BE(at + 1) & 0x1fff) !== musicPid,
	);
	for (const reading of [pes, some, sections]) {
		await reading[Symbol.asyncDispose]();
	}
	return {pes: first.value?.toString('hex', 0, 4), foreign, eventTable: section.value?.[0]};
};

const device = async (): Promise<string> => {
	const name = (await readdir(devices)).find((entry) => entry.startsWith('vidtv'));
	if (name === undefined) {
		throw new Error('There is no vidtv.');
	}
	return name;
};

/** The kernel answers only when nobody holds the adapter any more, so another process asks it. */
const order = (what: 'bind' | 'unbind', name: string): Promise<unknown> =>
	once(spawn('/bin/sh', ['-c', `echo ${name} >/sys/bus/platform/drivers/vidtv/${what}`], {stdio: 'inherit'}), 'exit');

const unplug = async (tuner: Tuner): Promise<void> => {
	const watching = watchTuners({signal});
	tell('watched', (await watching.next()).value?.length);
	const reading = tuner.read({pids: 'all', signal});
	await reading.next();
	const name = await device();
	const unbound = order('unbind', name);
	let ended: unknown;
	try {
		for await (const _ of reading) {
			// Until the adapter is gone.
		}
	} catch (error) {
		ended = error instanceof Error && 'code' in error ? error.code : String(error);
	}
	const statistics = await tuner.statistics().then(
		() => 'still there',
		(error: unknown) => (error as {code?: string}).code,
	);
	await tuner.close();
	await unbound;
	tell('unplugged', {
		ended,
		statistics,
		list: (await listTuners()).length,
		watched: (await watching.next()).value?.length,
	});
	await order('bind', name);
	tell(
		'plugged',
		(await watching.next()).value?.map(({adapter}) => adapter),
	);
};

const probeDevice = async (): Promise<void> => {
	tell('list', await listTuners());
	const tuner = openTuner({kind: 'kernel', adapter: 0});
	const {lockMs, statistics} = await lockOn(tuner, transponder);
	tell('lock', {lockMs: Math.round(lockMs ?? -1), statistics});
	const taken = (): string => {
		try {
			openTuner({kind: 'kernel', adapter: 0});
			return 'opened twice';
		} catch (error) {
			return (error as {code: string}).code;
		}
	};
	tell('taken', taken());
	const scan = scanCarriers(tuner, {tunings: [elsewhere, transponder], antenna, signal, limits: {lockTimeoutMs: 3000}});
	tell(
		'scan',
		(await Array.fromAsync(scan)).map(({tuning, locked, transportStreamId, services}) => ({
			...{frequencyKhz: tuning.frequencyKhz, locked, transportStreamId},
			services: services.map(({serviceId, name, streams}) => ({serviceId, name, pids: streams.map(({pid}) => pid)})),
		})),
	);
	tell('stream', await readStream(tuner));
	tell('some', await readSome(tuner));
	const weak = await lockOn(tuner, beside, 3000);
	const again = await lockOn(tuner, transponder);
	tell('lost', {
		lost: weak.lockMs === undefined,
		regained: again.statistics.locked,
		pls: await tuner.tune({...transponder, plsIndex: 8}, antenna, {signal}).then(
			() => 'taken',
			(error: unknown) => (error as {code?: string}).code,
		),
	});
	await lockOn(tuner, transponder);
	await unplug(tuner);
};

const roleStatusSchema = z.looseObject({
	tuner: z.looseObject({locked: z.boolean(), cnrDb: z.number().optional(), work: z.looseObject({phase: z.string()})}),
});

/** What the box's own software makes of the adapter that it has, and that is taken from it. */
const probeRole = async (): Promise<void> => {
	const until = async (step: string, wanted: (tuner: z.infer<typeof roleStatusSchema>['tuner']) => boolean) => {
		while (true) {
			signal.throwIfAborted();
			const tuner = await fetch('http://127.0.0.1/box/status', {signal})
				.then(async (answer) => roleStatusSchema.parse(await answer.json()).tuner)
				.catch(() => undefined);
			if (tuner !== undefined && wanted(tuner)) {
				return tell(step, tuner);
			}
			await sleep(500, undefined, {signal});
		}
	};
	await until('role locks', ({locked, work}) => locked && work.phase === 'announcing');
	const name = await device();
	const unbound = order('unbind', name);
	await until('role is without', ({locked, work}) => !locked && work.phase === 'absent');
	await unbound;
	await order('bind', name);
	await until('role locks again', ({locked}) => locked);
};

try {
	await (process.argv[2] === 'role' ? probeRole() : probeDevice());
} catch (error) {
	tell('failed', error instanceof Error ? {message: error.message, stack: error.stack} : error);
}
await sleep(500);
tell(process.argv[2] === 'role' ? 'role done' : 'done', {});
process.exit(0);
