import {spawn} from 'node:child_process';
import {join, resolve} from 'node:path';
import {errorMessage} from '#appliance/error/coded-error.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {BoxPlan} from '#demo/box/box-files.ts';
import {checkPrerequisites} from '#demo/check/check-prerequisites.ts';
import type {DemoFleet} from '#demo/fleet/start-demo-fleet.ts';
import {fadeWithin} from '#demo/link/loss-model.ts';
import type {Link} from '#demo/link/start-link.ts';
import {addSample, holdsTitle} from '#demo/media/add-sample.ts';
import {attendedSpanMs, type DemoOptions} from '#demo/options.ts';
import type {DemoReport} from '#demo/report/report-schema.ts';
import {runUnattended} from '#demo/run-unattended.ts';
import {type Stage, startStage} from '#demo/start-stage.ts';
import {runUpdate} from '#demo/update/run-update.ts';
import {createLiveView, type LiveView} from '#demo/view/live-view.ts';
import {rememberSourceDigests} from '#demo/watch/source-digests.ts';
import {watchBoxes} from '#demo/watch/watch-boxes.ts';

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
	const stage = stack.use(await startStage(options, {signal, onProgress: (line) => view.note(line)}));
	const {plan, link, fleet, logPath, sampleDirectory} = stage;
	const watching = new AbortController();
	const watchSignal = AbortSignal.any([signal, watching.signal]);
	const watched = watchBoxes({plan, link, signal: watchSignal, onSnapshot: (snapshot) => view.show(snapshot)});
	stack.defer(async () => {
		watching.abort();
		await watched;
	});
	if (options.mediaDirectory !== undefined && !(await holdsTitle(resolve(options.mediaDirectory)))) {
		view.note(`${options.mediaDirectory} holds no HLS title, so the sample is sent beside it for something to play`);
		await addSample({directory: sampleDirectory, headendUrl: plan.urls.headend, signal});
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
		if (options.update) {
			void updateAttended(stage, {view, signal});
		}
		await sleep(2 ** 31 - 1, {signal});
		return undefined;
	}
	beginLoss(link, options, forMs);
	// Only who checks at the end remembers: over days every version of a live manifest would be a leak.
	const sources = rememberSourceDigests({headendUrl: plan.urls.headend, signal: watchSignal});
	return await runUnattended({...options, forMs}, {stage, sources, view, signal});
};

/** A person watches it in the console; what went wrong is told, and the demo goes on. */
const updateAttended = async (
	{fleet, plan, members, stateDirectory}: Stage,
	{view, signal}: {readonly view: LiveView; readonly signal: AbortSignal},
): Promise<void> => {
	try {
		await runUpdate({
			...{fleet, signal, headendUrl: plan.urls.headend, boxCount: members.length},
			directory: join(stateDirectory, 'release'),
			onProgress: (line) => view.note(line),
		});
	} catch (error) {
		if (!signal.aborted) {
			view.note(`the update failed: ${errorMessage(error)}`);
		}
	}
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
