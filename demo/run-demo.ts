import {spawn} from 'node:child_process';
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {boxKinds} from '#appliance/contract/box-schema.ts';
import type {PlaybackReport} from '#appliance/contract/playback-report.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {type BoxPlan, deviceIdOf, planBoxes, writeBoxFiles} from '#demo/box/box-files.ts';
import {endAtOnceWhenToldAgain} from '#demo/box/end-at-once.ts';
import {openLogFile} from '#demo/box/log-file.ts';
import {type Boxes, startBoxes} from '#demo/box/start-boxes.ts';
import {startEncoder} from '#demo/box/start-encoder.ts';
import {checkObjects} from '#demo/check/check-objects.ts';
import {checkPrerequisites} from '#demo/check/check-prerequisites.ts';
import type {DemoErrorCode} from '#demo/error-code.ts';
import {claimBoxes} from '#demo/fleet/claim-boxes.ts';
import {boxesCome, fleetBoxes} from '#demo/fleet/fleet-boxes.ts';
import {type DemoFleet, startDemoFleet} from '#demo/fleet/start-demo-fleet.ts';
import {fadeWithin} from '#demo/link/loss-model.ts';
import {type Link, startLink} from '#demo/link/start-link.ts';
import {addSample, holdsTitle} from '#demo/media/add-sample.ts';
import {sampleRecipe} from '#demo/media/recipe.ts';
import {prepareSampleMedia} from '#demo/media/sample-media.ts';
import {attendedSpanMs, type DemoOptions} from '#demo/options.ts';
import {findTitles} from '#demo/play/find-titles.ts';
import {openChromium} from '#demo/play/open-chromium.ts';
import {playTitle} from '#demo/play/play-title.ts';
import {makeReport} from '#demo/report/make-report.ts';
import type {DemoReport} from '#demo/report/report-schema.ts';
import {createLiveView, type LiveView} from '#demo/view/live-view.ts';
import {rememberSourceDigests, type SourceDigests} from '#demo/watch/source-digests.ts';
import {takeSnapshot, watchBoxes} from '#demo/watch/watch-boxes.ts';

const buildDirectory = fileURLToPath(new URL('../build', import.meta.url));
/** The last values of the boxes are asked for so long, because one of them may be busy. */
const lastSnapshotTries = 10;
/** Enrolment does not wait for the picture, nor the picture for it; both begin when the boxes do. */
const enrolTimeoutMs = 30_000;

export type DemoRun = {
	readonly options: DemoOptions;
	readonly signal: AbortSignal;
	readonly output: NodeJS.WriteStream;
};

/** The whole demo. Attended it runs until the signal aborts; unattended it answers the report. */
export const runDemo = async ({options, signal, output}: DemoRun): Promise<DemoReport | undefined> => {
	await using stack = new AsyncDisposableStack();
	await checkPrerequisites(options);
	using view = createLiveView(output);
	const media = await prepareSampleMedia({
		recipe: sampleRecipe,
		cacheDirectory: join(buildDirectory, 'demo-media'),
		signal,
		onProgress: (line) => view.note(line),
	});
	const stateDirectory = await mkdtemp(join(tmpdir(), 'streamverse-demo-'));
	stack.defer(() => rm(stateDirectory, {recursive: true, force: true}));
	const logPath = join(buildDirectory, 'demo.log');
	const {logger} = stack.use(openLogFile(logPath));
	view.note('starting the fleet server and its broker');
	const fleet = stack.use(await startDemoFleet({stateDirectory: join(stateDirectory, 'fleet'), logger, signal}));
	const claims = await claimBoxes({
		ask: fleet.ask,
		boxes: boxKinds.map((kind) => ({kind, deviceId: deviceIdOf(kind)})),
		directory: join(stateDirectory, 'claims'),
	});
	const plan = await planBoxes({
		stateDirectory,
		mediaDirectory: options.mediaDirectory === undefined ? media.directory : resolve(options.mediaDirectory),
		claimFileOf: (deviceId) => claims.get(deviceId) ?? '',
	});
	const startedMs = Date.now();
	const link = stack.use(await startLink({channels: plan.channels, model: {seed: options.seed}}));
	view.note('starting the headend, the pop-node and the set-top, each under its own supervisor');
	let boxes: Boxes | undefined;
	stack.use(endAtOnceWhenToldAgain({signal, pids: () => [...fleet.pids(), ...(boxes?.pids() ?? [])], stateDirectory}));
	boxes = stack.use(
		await startBoxes({
			files: await writeBoxFiles(plan, stateDirectory),
			logger,
			signal,
			onProgress: (line) => view.note(line),
		}),
	);
	const watching = new AbortController();
	const watchSignal = AbortSignal.any([signal, watching.signal]);
	stack.use(
		startEncoder({recipe: sampleRecipe, loopPath: media.loopPath, headendUrl: plan.urls.headend, logger, signal}),
	);
	const watched = watchBoxes({plan, link, signal: watchSignal, onSnapshot: (snapshot) => view.show(snapshot)});
	stack.defer(async () => {
		watching.abort();
		await watched;
	});
	if (options.mediaDirectory !== undefined && !(await holdsTitle(resolve(options.mediaDirectory)))) {
		view.note(`${options.mediaDirectory} holds no HLS title, so the sample is sent beside it for something to play`);
		await addSample({directory: media.directory, headendUrl: plan.urls.headend, signal});
	}
	for (const line of introduction(plan, {fleet, logPath})) {
		view.note(line);
	}
	if (options.openBrowser && process.env['DISPLAY'] !== undefined) {
		spawn('xdg-open', [plan.urls.stb], {stdio: 'ignore', detached: true})
			.on('error', () => undefined)
			.unref();
	}
	const {forMs} = options;
	if (forMs === undefined) {
		beginLoss(link, options, attendedSpanMs);
		await sleep(2 ** 31 - 1, {signal});
		return undefined;
	}
	beginLoss(link, options, forMs);
	// Only who checks at the end remembers: over days every version of a live manifest would be a leak.
	const sources = rememberSourceDigests({headendUrl: plan.urls.headend, signal: watchSignal});
	return await unattended({...options, forMs}, {plan, fleet, link, sources, view, startedMs, signal});
};

/** The sky is clear until the boxes run; from here the model counts its time. */
const beginLoss = (link: Link, {seed, lossRatio, fadeMs}: DemoOptions, spanMs: number): void =>
	link.setModel({seed, lossRatio, fades: fadeWithin({seed, spanMs, durationMs: fadeMs})});

const introduction = (
	{urls}: BoxPlan,
	{fleet, logPath}: {readonly fleet: DemoFleet; readonly logPath: string},
): readonly string[] => {
	const lines = [
		`watch TV        ${urls.stb}/`,
		`what is on air  ${urls.headend}/`,
		`pop-node        ${urls['pop-node']}/`,
		`the fleet       ${fleet.url}/  (${fleet.account.name}, ${fleet.account.password})`,
		`log             ${logPath}`,
		'Ctrl-C ends it',
	];
	const width = Math.max(...lines.map((line) => line.length));
	return [
		`┌${'─'.repeat(width + 2)}┐`,
		...lines.map((line) => `│ ${line.padEnd(width)} │`),
		`└${'─'.repeat(width + 2)}┘`,
	];
};

type Stage = {
	readonly plan: BoxPlan;
	readonly fleet: DemoFleet;
	readonly link: Link;
	readonly sources: SourceDigests;
	readonly view: LiveView;
	readonly startedMs: number;
	readonly signal: AbortSignal;
};

const unattended = async (
	options: DemoOptions & {readonly forMs: number},
	{plan, fleet, link, sources, view, startedMs, signal}: Stage,
): Promise<DemoReport> => {
	const stbUrl = plan.urls.stb;
	const titles = await findTitles(stbUrl, signal);
	view.note(`plays ${titles.vod} and ${titles.live} in Chromium for ${options.forMs / 1000} s`);
	await using browser = await openChromium();
	const play = (titleId: string, name: string) =>
		playTitle({
			browser,
			stbUrl,
			titleId,
			durationMs: options.forMs,
			screenshotPath: options.reportPath === undefined ? undefined : screenshotPathOf(options.reportPath, name),
			signal,
			onReport: noteStalls(view, name),
		});
	const [vod, live] = await Promise.all([play(titles.vod, 'vod'), play(titles.live, 'live')]);
	view.note('checks every object that arrived against its source');
	const check = await checkObjects({stbUrl, sources, signal});
	const last = await lastSnapshot(plan, link, signal);
	await boxesCome({ask: fleet.ask, count: boxKinds.length, timeoutMs: enrolTimeoutMs, signal});
	const members = await fleetBoxes(fleet.ask);
	const report = makeReport({
		...last,
		startedMs,
		endedMs: Date.now(),
		seed: options.seed,
		link: link.stats(),
		check,
		playback: {vod, live},
		fleet: {
			boxes: boxKinds.length,
			enrolled: members.length,
			online: members.filter(({presence, release}) => presence === 'online' && release !== '').length,
		},
	});
	if (options.reportPath !== undefined) {
		await mkdir(dirname(resolve(options.reportPath)), {recursive: true});
		await writeFile(options.reportPath, `${JSON.stringify(report, null, '\t')}\n`);
	}
	return report;
};

/** A stall is told when it happens, so that it can be seen beside what the link did then. */
const noteStalls = (view: LiveView, name: string): ((report: PlaybackReport) => void) => {
	let stalls = 0;
	return (report) => {
		if (report.stalls > stalls) {
			({stalls} = report);
			const seconds = (report.currentTimeMs / 1000).toFixed(1);
			view.note(
				`the picture of ${name} stood still at ${seconds} s, ${Math.round(report.bufferedAheadMs)} ms buffered`,
			);
		}
	};
};

const screenshotPathOf = (reportPath: string, name: string): string =>
	`${reportPath.replace(/\.json$/u, '')}-${name}.png`;

const lastSnapshot = async (plan: BoxPlan, link: Link, signal: AbortSignal) => {
	for (let index = 0; index < lastSnapshotTries; index += 1) {
		const {headend, stb} = await takeSnapshot(plan, link);
		if (headend !== undefined && stb !== undefined) {
			return {headend, stb};
		}
		await sleep(500, {signal});
	}
	throw new CodedError<DemoErrorCode>('DEMO_BOX_DIED', {
		message: 'A box no longer answers; build/demo.log says what happened to it.',
	});
};
