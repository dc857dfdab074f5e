import {readFileSync} from 'node:fs';
import path from 'node:path';
import {parse} from 'yaml';
import {z} from 'zod';
import {boxKindSchema} from '#appliance/contract/box-schema.ts';
import {createLogger} from '#appliance/log/logger.ts';
import {readStateLost} from '#appliance/store/state-lost.ts';
import {anchorPath} from '#image/process/box-units.ts';
import {seedRoot, stickMountDirectory} from '#image/process/stick-paths.ts';
import {findSticks} from '#image/stick/find-sticks.ts';
import {takeStick} from '#image/stick/take-stick.ts';
import {projectRoot} from '#native/project-root.ts';

/** The unit streamverse-stick.service: at each boot, as root, before the first boot and the supervisor. It never fails one. */
const settleMs = 10_000;
/** Less than the unit's: it ends by itself, and nothing is left mounted. */
const totalMs = 240_000;

const logger = createLogger({name: 'stick', level: 'info'});
const signal = AbortSignal.timeout(totalMs);
const template = z
	.looseObject({
		box: z.looseObject({kind: boxKindSchema, stateDirectory: z.string()}),
		fleet: z.looseObject({claimFile: z.string(), compatible: z.string()}),
	})
	.parse(parse(readFileSync(path.join(projectRoot, 'box.yaml'), 'utf8')));
const {kind, stateDirectory} = template.box;
const {claimFile, compatible} = template.fleet;

for (const partition of await findSticks({settleMs, signal}).catch((error: unknown) => {
	logger.warn({err: error}, 'sticks cannot be looked for');
	return [];
})) {
	await takeStick(partition, {
		...{kind, compatible, stateDirectory, claimFile, anchorPath, seedRoot, stateLost: readStateLost()},
		...{mountDirectory: stickMountDirectory, nowMs: Date.now, logger, signal},
	}).catch((error: unknown) => logger.warn({err: error, partition: partition.path}, 'the stick cannot be read'));
}
