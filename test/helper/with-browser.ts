import type {ExecutionContext} from 'ava';
import {type BrowserContextOptions, chromium, type Page} from 'playwright-core';

/** Quiet and reproducible: no GPU, no background traffic, and sound may start without a gesture. */
const launchArguments = [
	'--no-sandbox',
	'--disable-gpu',
	'--disable-quic',
	'--no-first-run',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync',
	'--autoplay-policy=no-user-gesture-required',
];

const defaultExecutable = '/usr/bin/chromium';
/** Emulated machines may be busy on the same cores. */
const launchTimeoutMs = 120_000;

export type TestBrowser = {
	readonly newPage: (options?: BrowserContextOptions) => Promise<Page>;
	/** Uncaught errors and what the pages wrote to the console as errors, refused resources among it. */
	readonly errors: () => readonly string[];
};

/** A real Chromium without a window, which goes with the test. CHROMIUM names another executable. */
export const withBrowser = async (t: ExecutionContext, extra: readonly string[] = []): Promise<TestBrowser> => {
	const browser = await chromium.launch({
		executablePath: process.env['CHROMIUM'] ?? defaultExecutable,
		args: [...launchArguments, ...extra],
		timeout: launchTimeoutMs,
	});
	t.teardown(async () => {
		await browser.close();
	});
	const errors: string[] = [];
	return {
		newPage: async (options) => {
			const context = await browser.newContext(options);
			const page = await context.newPage();
			page.on('pageerror', (error) => errors.push(`uncaught: ${error.message}`));
			page.on('console', (message) => {
				if (message.type() === 'error') {
					errors.push(`${message.text()} (${message.location().url})`);
				}
			});
			return page;
		},
		errors: () => errors,
	};
};
