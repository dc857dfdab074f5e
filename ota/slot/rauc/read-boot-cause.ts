import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {BootVerdict} from '#ota/slot/slot-installer.ts';

/** Bits of `bootstatus` (Linux watchdog API): the last reset was the card's, or a power fault. */
const cardReset = 0x20;
const powerFault = 0x10 | 0x08;
const excerptChars = 800;

type Cause = NonNullable<BootVerdict['fallback']>;

/**
 * Why the machine last went down, and how far the boots of another slot got before this one: what a panicking kernel left
 * behind, what the watchdog's hardware remembers, and the journal of boots. Undefined when none of them knows.
 */
export const readBootCause = async ({
	told = '/run/streamverse/boot-cause',
	watchdogs = '/sys/class/watchdog',
}: {
	/** Where the unit streamverse-boot-cause puts what only root may read. */
	readonly told?: string;
	readonly watchdogs?: string;
} = {}): Promise<BootVerdict['fallback']> =>
	(await panicOf(told)) ?? (await watchdogOf(watchdogs)) ?? (await attemptsOf(join(told, 'attempts')));

/** A panic is left in parts, of which any may hold the line that says it. */
const panicOf = async (directory: string): Promise<Cause | undefined> => {
	const dumps = (await namesIn(directory)).filter((name) => name.startsWith('dmesg-'));
	const texts = await Promise.all(dumps.map((name) => readFile(join(directory, name), 'utf8').catch(() => '')));
	const lines = texts.flatMap((text) => text.split('\n'));
	const line =
		lines.findLast((each) => /kernel panic - /iu.test(each)) ?? lines.findLast((each) => /oops|bug:/iu.test(each));
	const detail = (line ?? texts.at(-1) ?? '').replace(/^<\d+>/u, '').trim() || dumps.at(-1);
	return detail === undefined ? undefined : {origin: 'panic', detail: detail.slice(0, excerptChars)};
};

const watchdogOf = async (directory: string): Promise<Cause | undefined> => {
	const files = (await namesIn(directory)).map((name) => join(directory, name, 'bootstatus'));
	const told = await Promise.all(files.map(async (file) => Number(await readFile(file, 'utf8').catch(() => '0'))));
	const bits = told.reduce((all, each) => all | each, 0);
	if ((bits & cardReset) !== 0) {
		return {origin: 'watchdog', detail: `The watchdog reset the machine (bootstatus ${bits}).`};
	}
	return (bits & powerFault) === 0 ? undefined : {origin: 'power', detail: `The supply failed (bootstatus ${bits}).`};
};

const stages: Readonly<Record<string, string>> = {
	initrd: 'its initrd, and not to systemd',
	'no-init': 'its initrd, which found no init',
	system: 'systemd, and not to a supervisor that stays up',
};

/** A line for each boot of another slot: how far it got, how often its supervisor ended, and how it did at last. */
const attemptsOf = async (file: string): Promise<Cause | undefined> => {
	const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
	const [stage = '', ends = '', ...why] = lines.at(-1)?.split(' ') ?? [];
	if (lines.length === 0) {
		return undefined;
	}
	return stage === 'supervisor-ended'
		? {origin: 'supervisor', detail: `Its supervisor ended ${ends} times in one boot (${why.join(' ')}).`}
		: {origin: 'bootloader', detail: `It was booted ${lines.length} times, and got to ${stages[stage] ?? stage}.`};
};

const namesIn = async (directory: string): Promise<readonly string[]> =>
	(await readdir(directory).catch(() => [])).toSorted();
