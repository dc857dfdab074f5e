import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {headendConfigSchema} from '#headend/config-schema.ts';
import {startHeadend} from '#headend/start.ts';
import type {Bench} from '#test/bench/bench-row.ts';
import {recordingSender} from '#test/helper/recording-sender.ts';

const objects = 5000;
const objectBytes = 1024;
/** Objects of a kilobyte that a full transponder carries, FEC and FDT counted: the headend must not be what holds it up. */
const objectsPerSecondMin = 1000;
const timeoutMs = 120_000;

/** What the headend itself costs when objects are tiny: the folder is taken in, then every object is sent once, to nobody. */
export const run: Bench = async ({progress, signal}) => {
	const directory = await mkdtemp(join(tmpdir(), 'streamverse-carousel-'));
	try {
		const media = join(directory, 'media', 'vod', 'small');
		await mkdir(media, {recursive: true});
		progress(`writing ${objects} objects of ${objectBytes} bytes`);
		for (let index = 0; index < objects; index += 1) {
			await writeFile(join(media, `${index}.bin`), Buffer.alloc(objectBytes, `${index} `));
		}
		progress('taking them in and sending each once');
		const sender = recordingSender();
		const startedMs = performance.now();
		await using _headend = await startHeadend(
			{
				box: {id: deviceIdSchema.parse('headend-bench'), kind: 'headend', stateDirectory: join(directory, 'state')},
				config: headendConfigSchema.parse({
					listen: {port: 0},
					catalogue: {directory: join(directory, 'media'), directorySettleMs: 100},
					uplink: {rateBps: 59_000_000},
				}),
				logger: silentLogger(),
				signal,
			},
			{openSender: sender.open},
		);
		const sent = (): number =>
			new Set(sender.jobs.filter(({tsi, toi}) => tsi === 1 && toi !== 0).map(({toi}) => toi)).size;
		while (sent() < objects && performance.now() - startedMs < timeoutMs) {
			await sleep(50, {signal});
		}
		const value = (sent() / (performance.now() - startedMs)) * 1000;
		return [
			{
				name: 'carousel.small-objects',
				value,
				unit: 'objects/s',
				reference: 'objects per second demanded, from the start to the first transmission of the last',
				bar: objectsPerSecondMin,
				pass: value >= objectsPerSecondMin,
			},
		];
	} finally {
		await rm(directory, {recursive: true, force: true});
	}
};
