import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {BootVerdict} from '#ota/slot/slot-installer.ts';

/** Bits of `bootstatus` (Linux watchdog API): the last reset was the card's, or a power fault. */
const cardReset = 0x20;
const powerFault = 0x10 | 0x08;
const excerptChars = 800;

/**
 * Why the machine last went down: what a panicking kernel left in pstore, or what the watchdog's hardware remembers.
 * Undefined when neither knows.
 */
export const readBootCause = async ({
	pstore = '/sys/fs/pstore',
	watchdog = '/sys/class/watchdog/watchdog0',
}: {
	readonly pstore?: string;
	readonly watchdog?: string;
} = {}): Promise<BootVerdict['fallback']> => {
	const dump = (await readdir(pstore).catch(() => []))
		.filter((name) => name.startsWith('dmesg-'))
		.sort()
		.at(-1);
	if (dump !== undefined) {
		const text = await readFile(join(pstore, dump), 'utf8').catch(() => '');
		const line = text.split('\n').find((each) => /kernel panic|oops|bug:/iu.test(each));
		return {origin: 'panic', detail: (line ?? (text.slice(0, excerptChars) || dump)).slice(0, excerptChars)};
	}
	const bits = Number(await readFile(join(watchdog, 'bootstatus'), 'utf8').catch(() => '0'));
	if ((bits & cardReset) !== 0) {
		return {origin: 'watchdog', detail: `The watchdog reset the machine (bootstatus ${bits}).`};
	}
	return (bits & powerFault) === 0 ? undefined : {origin: 'power', detail: `The supply failed (bootstatus ${bits}).`};
};
