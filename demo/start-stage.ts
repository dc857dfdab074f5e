import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {boxKinds} from '#appliance/contract/box-schema.ts';
import {type BoxPlan, deviceIdOf, planBoxes, writeBoxFiles} from '#demo/box/box-files.ts';
import {endAtOnceWhenToldAgain} from '#demo/box/end-at-once.ts';
import {openLogFile} from '#demo/box/log-file.ts';
import {type Boxes, startBoxes} from '#demo/box/start-boxes.ts';
import {startEncoder} from '#demo/box/start-encoder.ts';
import {type BoxToClaim, claimBoxes, claimFilePath} from '#demo/fleet/claim-boxes.ts';
import {type DemoFleet, startDemoFleet} from '#demo/fleet/start-demo-fleet.ts';
import {type Dish, openDish} from '#demo/link/signal.ts';
import {type Link, startLink} from '#demo/link/start-link.ts';
import {sampleRecipe} from '#demo/media/recipe.ts';
import {prepareSampleMedia} from '#demo/media/sample-media.ts';
import type {DemoOptions} from '#demo/options.ts';
import {startUpdateBoxes, type UpdateBoxes, updateBoxes} from '#demo/update/update-boxes.ts';

const buildDirectory = fileURLToPath(new URL('../build', import.meta.url));

/** Everything that runs: the fleet, the link, the boxes and the encoder. */
export type Stage = AsyncDisposable & {
	readonly plan: BoxPlan;
	readonly fleet: DemoFleet;
	readonly link: Link;
	/** Where a real signal is received. */
	readonly dish: Dish | undefined;
	readonly members: readonly BoxToClaim[];
	readonly stateDirectory: string;
	readonly sampleDirectory: string;
	readonly logPath: string;
	readonly startedMs: number;
};

/** Starts it in the order in which each needs the other; what was started before a failure is ended again. */
export const startStage = async (
	options: DemoOptions,
	{signal, onProgress}: {readonly signal: AbortSignal; readonly onProgress: (line: string) => void},
): Promise<Stage> => {
	await using stack = new AsyncDisposableStack();
	const media = await prepareSampleMedia({
		...{recipe: sampleRecipe, cacheDirectory: join(buildDirectory, 'demo-media'), signal, onProgress},
	});
	const stateDirectory = await mkdtemp(join(tmpdir(), 'streamverse-demo-'));
	stack.defer(() => rm(stateDirectory, {recursive: true, force: true, maxRetries: 3}));
	const logPath = join(buildDirectory, 'demo.log');
	const {logger} = stack.use(openLogFile(logPath));
	const claimDirectory = join(stateDirectory, 'claims');
	const claimFileOf = (deviceId: string): string => claimFilePath(claimDirectory, deviceId);
	const mediaDirectory = options.mediaDirectory === undefined ? media.directory : resolve(options.mediaDirectory);
	const plan = await planBoxes({stateDirectory, mediaDirectory, claimFileOf, uplink: options.uplink});
	onProgress('starting the fleet server and its broker');
	const fleetDirectory = join(stateDirectory, 'fleet');
	const fleet = stack.use(
		await startDemoFleet({stateDirectory: fleetDirectory, headendUrl: plan.urls.headend, logger, signal}),
	);
	const members = membersOf(options);
	await claimBoxes({ask: fleet.ask, boxes: members, directory: claimDirectory});
	const startedMs = Date.now();
	const link = stack.use(await startLink({channels: plan.channels, model: {seed: options.seed}}));
	const dish = plan.signal === undefined ? undefined : stack.use(openDish(plan.signal));
	onProgress('starting the headend, the pop-node and the set-top, each under its own supervisor');
	let boxes: Boxes | undefined;
	let updating: UpdateBoxes | undefined;
	const pids = (): readonly number[] => [fleet, boxes, updating].flatMap((owner) => owner?.pids() ?? []);
	stack.use(endAtOnceWhenToldAgain({signal, pids, stateDirectory}));
	const files = await writeBoxFiles(plan, stateDirectory);
	boxes = stack.use(await startBoxes({files, logger, signal, onProgress}));
	if (options.update) {
		onProgress('starting two more set-tops, each with two slots');
		const directory = join(stateDirectory, 'update');
		updating = stack.use(await startUpdateBoxes({directory, claimFileOf, receive: plan.receive, logger, signal}));
	}
	const {loopPath} = media;
	stack.use(startEncoder({recipe: sampleRecipe, loopPath, headendUrl: plan.urls.headend, logger, signal}));
	const owned = stack.move();
	return {
		...{plan, fleet, link, dish, members, stateDirectory, logPath, startedMs},
		sampleDirectory: media.directory,
		[Symbol.asyncDispose]: () => owned.disposeAsync(),
	};
};

const membersOf = ({update}: DemoOptions): readonly BoxToClaim[] => [
	...boxKinds.map((kind) => ({kind, deviceId: deviceIdOf(kind)})),
	...(update ? updateBoxes.map(({deviceId}) => ({kind: 'stb' as const, deviceId})) : []),
];
