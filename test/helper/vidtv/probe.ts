import {spawn} from 'node:child_process';
import {once} from 'node:events';
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
const driver = 'dvb_vidtv_bridge';

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

/** Of the driver alone: what it builds on stays, as when a device is pulled out. */
const order = async (program: 'modprobe' | 'rmmod'): Promise<number> => {
	const [status] = await once(spawn(program, [driver], {stdio: 'inherit'}), 'exit');
	return Number(status);
};

/** The driver cannot be taken from under who holds it: it goes when nobody does, as its last reader's cable. */
const unplug = async (tuner: Tuner): Promise<void> => {
	const watching = watchTuners({signal});
	tell('watched', (await watching.next()).value?.length);
	const refused = (await order('rmmod')) !== 0;
	await tuner.close();
	const removed = await order('rmmod');
	const watched = (await watching.next()).value?.length;
	tell('unplugged', {refused, removed, watched, list: (await listTuners()).length, opens: codeOf(openIt)});
	await order('modprobe');
	tell(
		'plugged',
		(await watching.next()).value?.map(({adapter}) => adapter),
	);
	await using again = openIt();
	tell('again', (await lockOn(again, transponder)).statistics.locked);
};

const openIt = (): Tuner => openTuner({kind: 'kernel', adapter: 0});

const codeOf = (work: () => unknown): string => {
	try {
		work();
		return 'done';
	} catch (error) {
		return (error as {code: string}).code;
	}
};

const probeDevice = async (): Promise<void> => {
	tell('list', await listTuners());
	const tuner = openIt();
	const {lockMs, statistics} = await lockOn(tuner, transponder);
	tell('lock', {lockMs: Math.round(lockMs ?? -1), statistics});
	if (lockMs === undefined) {
		throw new Error('There is no lock.');
	}
	tell('taken', codeOf(openIt));
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
	tell('lost', {lost: weak.lockMs === undefined, regained: again.statistics.locked});
	await tuner.tune({...transponder, plsIndex: 8}, antenna, {signal});
	tell('PLS', (await waitForLock(tuner, {timeoutMs: lockTimeoutMs, signal})).statistics.locked);
	await unplug(tuner);
	// The role begins without it.
	await order('rmmod');
};

const roleStatusSchema = z.looseObject({
	tuner: z.looseObject({locked: z.boolean(), cnrDb: z.number().optional(), work: z.looseObject({phase: z.string()})}),
});

/** What the box's own software makes of the adapter that is plugged in beside it. */
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
	await until('role is without', ({locked, work}) => !locked && work.phase === 'absent');
	await order('modprobe');
	await until('role locks', ({locked, work}) => locked && work.phase === 'announcing');
};

try {
	await (process.argv[2] === 'role' ? probeRole() : probeDevice());
} catch (error) {
	tell('failed', error instanceof Error ? {message: error.message, stack: error.stack} : error);
}
await sleep(500);
tell(process.argv[2] === 'role' ? 'role done' : 'done', {});
process.exit(0);
