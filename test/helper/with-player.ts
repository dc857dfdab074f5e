import type {ExecutionContext} from 'ava';
import type {PlaybackReport} from '#appliance/contract/playback-report.ts';
import {stbTitlesSchema} from '#appliance/contract/stb-status-schema.ts';
import {readReport} from '#demo/play/play-title.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withBrowser} from '#test/helper/with-browser.ts';

export type TestPlayer = {
	report(): Promise<PlaybackReport>;
	/** Waits until the page's report satisfies; fails at once when the page gives up. */
	until(what: string, satisfies: (report: PlaybackReport) => boolean): Promise<PlaybackReport>;
};

/** The set-top may be one of three machines that are emulated beside the browser. */
const pageTimeoutMs = 120_000;
const playTimeoutMs = 180_000;

/** The set-top's own page in a real Chromium, which plays a title that the set-top has heard of. */
export const withPlayer = async (t: ExecutionContext, stbUrl: string, titleId: string): Promise<TestPlayer> => {
	await titleKnown(stbUrl, titleId);
	const browser = await withBrowser(t, ['--mute-audio', '--disable-dev-shm-usage']);
	const page = await browser.newPage({viewport: {width: 640, height: 360}});
	await page.goto(`${stbUrl}/?play=${encodeURIComponent(titleId)}`, {
		waitUntil: 'domcontentloaded',
		timeout: pageTimeoutMs,
	});
	const report = async (): Promise<PlaybackReport> => {
		const value = await readReport(page);
		if (value === undefined) {
			throw new Error('the page has no report yet');
		}
		return value;
	};
	return {
		report,
		until: async (what, satisfies) => {
			const last = await eventually(
				what,
				async () => {
					const value = await report();
					return (value.state === 'failed' || satisfies(value)) && value;
				},
				{timeoutMs: playTimeoutMs, intervalMs: 100},
			);
			t.true(satisfies(last), `${what}: ${JSON.stringify(last)}`);
			return last;
		},
	};
};

/** Waits until a title with a playlist for the page has come over the air. */
export const titleKnown = async (stbUrl: string, titleId: string): Promise<void> => {
	await eventually(`the set-top knows ${titleId}`, async () => {
		const {titles} = stbTitlesSchema.parse(await (await fetch(`${stbUrl}/box/titles`)).json());
		const title = titles.find(({id}) => id === titleId);
		return title?.manifests.some(({uri}) => uri.endsWith('.m3u8'));
	});
};
