import {fsyncSync, openSync, writeSync} from 'node:fs';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {silentLogger} from '#appliance/log/logger.ts';
import {openLinkDatabase} from '#appliance/mqtt/link-database.ts';
import {createSpool, type Spool} from '#appliance/mqtt/spool.ts';
import {createSpoolRepository} from '#appliance/mqtt/spool-repository.ts';
import {systemClock} from '#appliance/time/clock.ts';
import type {Bench} from '#test/bench/bench-row.ts';

/** A day of a sample a minute, of as many metrics as a set-top has. */
const recordCount = 1440;
const metrics = Object.fromEntries(Array.from({length: 24}, (_, index) => [`metric_${index}_bytes`, index * 12_345]));
/** A record is on disk when it is told, which costs what the disk's own sync costs; not much more than that. */
const syncRatioMin = 0.2;
/** A day's backlog is read and forgotten within a second, so that the link is what limits it. */
const drainMsMax = 1000;

const secondsOf = (run: () => void): number => {
	const startedMs = performance.now();
	run();
	return (performance.now() - startedMs) / 1000;
};

/** The disk's own: as many bytes appended and synced, one record at a time. */
const syncedAppends = (directory: string, bytes: Buffer): number =>
	secondsOf(() => {
		const file = openSync(path.join(directory, 'reference'), 'w');
		for (let count = 0; count < recordCount; count += 1) {
			writeSync(file, bytes);
			fsyncSync(file);
		}
	});

const drain = (spool: Spool): void => {
	for (
		let record = spool.next('telemetry', 0);
		record !== undefined;
		record = spool.next('telemetry', record.sequence)
	) {
		// As the fleet acknowledges: several at a time.
		if (record.sequence % 32 === 0 || record.sequence === recordCount) {
			spool.acknowledge('telemetry', record.sequence);
		}
	}
};

export const run: Bench = async ({progress}) => {
	const directory = await mkdtemp(path.join(tmpdir(), 'streamverse-spool-'));
	const database = await openLinkDatabase(directory, silentLogger());
	try {
		const spool = createSpool({
			...{repository: createSpoolRepository(database), bytesMax: 64 * 1024 ** 2, clock: systemClock},
			...{logger: silentLogger(), onRecord: () => undefined},
		});
		const sample = {atMs: Date.now(), values: metrics};
		progress(`writing ${recordCount} records, each on disk before the next`);
		const writeSeconds = secondsOf(() => {
			for (let count = 0; count < recordCount; count += 1) {
				spool.tellTelemetry([sample]);
			}
		});
		const storedBytes = spool.bytes();
		const referenceSeconds = syncedAppends(directory, Buffer.from(JSON.stringify(sample)));
		const drainMs = secondsOf(() => drain(spool)) * 1000;
		const ratio = referenceSeconds / writeSeconds;
		return [
			{
				...{name: 'spool.write', value: recordCount / writeSeconds, unit: 'records/s', ratio, bar: syncRatioMin},
				...{reference: 'append and fsync of as many bytes', pass: ratio >= syncRatioMin},
			},
			{
				...{name: 'spool.drain.day', value: drainMs, unit: 'ms', bar: drainMsMax, pass: drainMs <= drainMsMax},
				reference: 'milliseconds allowed',
			},
			{name: 'spool.record', value: storedBytes / recordCount, unit: 'bytes'},
		];
	} finally {
		database.close();
		await rm(directory, {recursive: true, force: true});
	}
};
