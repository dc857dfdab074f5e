import {readdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
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
	await writeFile(file('trigger'), 'none').catch(() => undefined);
	try {
		for (let blink = 0; blink < (seconds * 1000) / blinkMs; blink += 1) {
			await writeFile(file('brightness'), blink % 2 === 0 ? '1' : '0');
			await sleep(blinkMs, {signal});
		}
	} finally {
		await writeFile(file('brightness'), brightness);
		if (trigger !== undefined) {
			await writeFile(file('trigger'), trigger).catch(() => undefined);
		}
	}
	return {led, message: `The light ${led} blinked for ${seconds} s.`};
};

/** Not a keyboard's lights nor a disk's, which belong to somebody else. */
const chooseLed = async (directory: string): Promise<string | undefined> => {
	const names = (await readdir(directory).catch(() => [])).filter(
		(name) => !/lock|disk|mmc|input|wlan|phy/iu.test(name),
	);
	return names.find((name) => /ident|locate|status|user|led0|act/iu.test(name)) ?? names[0];
};
