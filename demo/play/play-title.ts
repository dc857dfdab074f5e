import type {Browser, Page} from 'playwright-core';
import {type PlaybackReport, playbackReportSchema} from '#appliance/contract/playback-report.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {PlaybackResult} from '#demo/report/report-schema.ts';

const pollIntervalMs = 250;
/** The first picture must be there after this, or the playback has failed. */
const startTimeoutMs = 45_000;
const viewport = {width: 1280, height: 720} as const;

export type PlayOptions = {
	readonly browser: Browser;
	readonly stbUrl: string;
	readonly titleId: string;
	/** From the first frame on. */
	readonly durationMs: number;
	readonly screenshotPath?: string | undefined;
	readonly signal: AbortSignal;
	readonly onReport?: (report: PlaybackReport) => void;
};

/** Plays a title on the set-top's own page and answers what that page measured. */
export const playTitle = async (options: PlayOptions): Promise<PlaybackResult> => {
	const {browser, stbUrl, titleId, durationMs, screenshotPath, signal} = options;
	const context = await browser.newContext({viewport});
	try {
		const page = await context.newPage();
		await page.goto(`${stbUrl}/?play=${encodeURIComponent(titleId)}`, {waitUntil: 'domcontentloaded'});
		let report = await readUntil(page, startTimeoutMs, options, ({startupMs}) => startupMs !== undefined);
		if (report?.startupMs !== undefined) {
			report = (await readUntil(page, durationMs, options, ({state}) => state === 'ended')) ?? report;
		}
		if (screenshotPath !== undefined) {
			await page.screenshot({path: screenshotPath}).catch(() => undefined);
		}
		signal.throwIfAborted();
		return resultOf(titleId, report);
	} finally {
		await context.close();
	}
};

/** Reads the page's report until it satisfies, failed, or the time is over; answers the last one. */
const readUntil = async (
	page: Page,
	timeoutMs: number,
	{signal, onReport}: PlayOptions,
	satisfies: (report: PlaybackReport) => boolean,
): Promise<PlaybackReport | undefined> => {
	const deadlineMs = performance.now() + timeoutMs;
	let last: PlaybackReport | undefined;
	while (performance.now() < deadlineMs && !signal.aborted) {
		const report = await readReport(page);
		if (report !== undefined) {
			last = report;
			onReport?.(report);
			if (report.state === 'failed' || satisfies(report)) {
				break;
			}
		}
		await sleep(pollIntervalMs, {signal}).catch(() => undefined);
	}
	return last;
};

/** Undefined before the page's scripts have run. */
export const readReport = async (page: Page): Promise<PlaybackReport | undefined> => {
	const value: unknown = await page.evaluate('window.streamverse?.playback');
	return value === undefined || value === null ? undefined : playbackReportSchema.parse(value);
};

const resultOf = (titleId: string, report: PlaybackReport | undefined): PlaybackResult => ({
	titleId,
	startupMs: report?.startupMs ?? null,
	stalls: report?.stalls ?? 0,
	stalledMs: report?.stalledMs ?? 0,
	framesDecoded: report?.framesDecoded ?? 0,
	framesDropped: report?.framesDropped ?? 0,
	playedMs: report?.currentTimeMs ?? 0,
	retries: report?.retries ?? 0,
	...(report?.error === undefined ? {} : {error: `${report.error.code}: ${report.error.message}`}),
});
