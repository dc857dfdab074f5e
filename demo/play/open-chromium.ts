import {access} from 'node:fs/promises';
import {type Browser, chromium} from 'playwright-core';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {DemoErrorCode} from '#demo/error-code.ts';

const launchTimeoutMs = 60_000;
const paths = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'] as const;

/** Debian's Chromium without a window, with leave to play sound nobody hears. */
export const openChromium = async (): Promise<Browser> => {
	const executablePath = await chromiumPath();
	return chromium.launch({
		executablePath,
		headless: true,
		timeout: launchTimeoutMs,
		handleSIGINT: false,
		handleSIGTERM: false,
		handleSIGHUP: false,
		args: [
			// Root in a container has no user namespace to make a sandbox from; the pages are our own.
			'--no-sandbox',
			'--autoplay-policy=no-user-gesture-required',
			'--mute-audio',
			'--disable-gpu',
			'--disable-dev-shm-usage',
			// A page in the background must play on as one in front does.
			'--disable-background-timer-throttling',
			'--disable-backgrounding-occluded-windows',
			'--disable-renderer-backgrounding',
		],
	});
};

/** @throws CodedError DEMO_CHROMIUM_MISSING */
export const chromiumPath = async (): Promise<string> => {
	for (const path of paths) {
		try {
			await access(path);
			return path;
		} catch {
			// The next name.
		}
	}
	throw new CodedError<DemoErrorCode>('DEMO_CHROMIUM_MISSING', {
		message: 'With --for the demo plays in Chromium, which is not here; install Debian’s chromium package.',
	});
};
