import {mkdir, writeFile} from 'node:fs/promises';
import {dirname, join, resolve} from 'node:path';
import type {HeadendStatus} from '#appliance/contract/headend-status-schema.ts';
import type {PlaybackReport} from '#appliance/contract/playback-report.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {BoxPlan} from '#demo/box/box-files.ts';
import {checkObjects} from '#demo/check/check-objects.ts';
import type {DemoErrorCode} from '#demo/error-code.ts';
import {boxesCome, fleetBoxes} from '#demo/fleet/fleet-boxes.ts';
import type {Dish, SignalOptions} from '#demo/link/signal.ts';
import type {Link} from '#demo/link/start-link.ts';
import type {DemoOptions} from '#demo/options.ts';
import {findTitles} from '#demo/play/find-titles.ts';
import {openChromium} from '#demo/play/open-chromium.ts';
import {playTitle} from '#demo/play/play-title.ts';
import {makeReport} from '#demo/report/make-report.ts';
import type {DemoReport} from '#demo/report/report-schema.ts';
import type {Stage} from '#demo/start-stage.ts';
import {runUpdate} from '#demo/update/run-update.ts';
import type {LiveView} from '#demo/view/live-view.ts';
import type {SourceDigests} from '#demo/watch/source-digests.ts';
import {takeSnapshot} from '#demo/watch/watch-boxes.ts';

/** The last values of the boxes are asked for so long, because one of them may be busy. */
const lastSnapshotTries = 10;
/** Enrolment does not wait for the picture, nor the picture for it; both begin when the boxes do. */
const enrolTimeoutMs = 30_000;

/** Plays, checks, updates if asked to, and answers the report. */
export const runUnattended = async (
	options: DemoOptions & {readonly forMs: number},
	{
		stage,
		sources,
		view,
		signal,
	}: {
		readonly stage: Stage;
		readonly sources: SourceDigests;
		readonly view: LiveView;
		readonly signal: AbortSignal;
	},
): Promise<DemoReport> => {
	const {plan, fleet, link, dish, startedMs, members, stateDirectory} = stage;
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
	const boxCount = members.length;
	await boxesCome({ask: fleet.ask, count: boxCount, timeoutMs: enrolTimeoutMs, signal});
	const seen = await fleetBoxes(fleet.ask);
	const update = options.update
		? await runUpdate({
				...{fleet, boxCount, signal, headendUrl: plan.urls.headend, directory: join(stateDirectory, 'release')},
				onProgress: (line) => view.note(line),
			})
		: undefined;
	const report = makeReport({
		...last,
		startedMs,
		endedMs: Date.now(),
		seed: options.seed,
		link: link.stats(),
		check,
		playback: {vod, live},
		...(update === undefined ? {} : {update}),
		...(dish === undefined || plan.signal === undefined
			? {}
			: {signal: signalFacts(last.headend, {dish, ...plan.signal})}),
		fleet: {
			boxes: boxCount,
			enrolled: seen.length,
			online: seen.filter(({presence, release}) => presence === 'online' && release !== '').length,
		},
	});
	if (options.reportPath !== undefined) {
		await mkdir(dirname(resolve(options.reportPath)), {recursive: true});
		await writeFile(options.reportPath, `${JSON.stringify(report, null, '\t')}\n`);
	}
	return report;
};

const signalFacts = (
	{link}: HeadendStatus,
	{dish, form}: SignalOptions & {readonly dish: Dish},
): NonNullable<DemoReport['signal']> => {
	const {carrierBytes, emittedDatagrams, damage, kernelDrops} = dish.stats();
	return {
		...{form, carrierBytes, kernelDrops},
		modcod: link?.modcod ?? '',
		datagrams: emittedDatagrams,
		damage: Object.values(damage).reduce((total, count) => total + count, 0),
		droppedDatagrams: link?.output?.droppedDatagrams ?? 0,
	};
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
