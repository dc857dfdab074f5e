import {constants} from 'node:fs';
import {readdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import type {DiagnosticsErrorCode} from '#appliance/diagnostics/error-code.ts';
import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import {sleep} from '#appliance/time/sleep.ts';

const blinkMs = 250;

export type IdentifyResult = {readonly led: string | null; readonly message: string};

/** Blinks the box's light, so that somebody before a rack finds it, and leaves it as it was. */
export const identifyBox = async ({
	seconds,
	signal,
	directory = '/sys/class/leds',
}: {
	readonly seconds: number;
	readonly signal: AbortSignal;
	readonly directory?: string;
}): Promise<IdentifyResult> => {
	const led = await chooseLed(directory);
	if (led === undefined) {
		return {led: null, message: 'This box has no light that it could blink.'};
	}
	const file = (name: string): string => path.join(directory, led, name);
	const trigger = /\[([\w-]+)\]/u.exec(await readFile(file('trigger'), 'utf8').catch(() => ''))?.[1];
	const brightness = (await readFile(file('brightness'), 'utf8')).trim();
	// A light that can be dimmed hardly glows at 1 of 255 (Documentation/leds/leds-class.rst of the kernel).
	const full = (await readFile(file('max_brightness'), 'utf8').catch(() => '')).trim() || '1';
	await setLight(file('trigger'), 'none').catch(ignoreAbsent);
	try {
		for (let blink = 0; blink < (seconds * 1000) / blinkMs; blink += 1) {
			await setLight(file('brightness'), blink % 2 === 0 ? full : '0');
			await sleep(blinkMs, {signal});
		}
	} finally {
		await setLight(file('brightness'), brightness);
		// Last: a trigger that is set has the light do as it says.
		if (trigger !== undefined) {
			await setLight(file('trigger'), trigger).catch(ignoreAbsent);
		}
	}
	return {led, message: `The light ${led} blinked for ${seconds} s.`};
};

/** Nothing is made here that is not there: sysfs has its files. */
const setLight = async (file: string, value: string): Promise<void> => {
	try {
		await writeFile(file, value, {flag: constants.O_WRONLY | constants.O_TRUNC});
	} catch (error) {
		if (hasCode(error, 'EACCES', 'EPERM', 'EROFS')) {
			throw new CodedError<DiagnosticsErrorCode>('DIAGNOSTICS_NOT_PERMITTED', {
				message: `This process may not set the box’s light (${path.basename(path.dirname(file))}).`,
				cause: error,
			});
		}
		throw error;
	}
};

/** A light without triggers. */
const ignoreAbsent = (error: unknown): void => {
	if (!hasCode(error, 'ENOENT')) {
		throw error;
	}
};

/** Not a keyboard's lights nor a disk's, which belong to somebody else. */
const chooseLed = async (directory: string): Promise<string | undefined> => {
	const names = (await readdir(directory).catch(() => [])).filter(
		(name) => !/lock|disk|mmc|input|wlan|phy/iu.test(name),
	);
	return names.find((name) => /ident|locate|status|user|led0|act/iu.test(name)) ?? names[0];
};
