import {randomInt, timingSafeEqual} from 'node:crypto';
import {writeDurably} from '#appliance/store/write-durably.ts';

/** No letter or digit that is taken for another on a screen far away. */
const alphabet = '23456789ABCDEFGHJKMNPQRSTUVWXYZ';
const codeLength = 8;
/** So many wrong codes in the window below, and none is looked at any more until it has passed. */
const wrongCountMax = 5;
const wrongWindowMs = 15 * 60_000;

export type CodeVerdict = 'right' | 'wrong' | 'too-many';

/** A code that proves that somebody stands at the box: shown on its console, and good for one write. */
export type ConsoleCode = {readonly take: (given: string) => Promise<CodeVerdict>};

const makeCode = (): string =>
	Array.from({length: codeLength}, () => alphabet[randomInt(alphabet.length)] ?? '').join('');

/** `ABCD-EFGH` as somebody reads it out, in either case. */
const plain = (given: string): string => given.toUpperCase().replaceAll(/[\s-]/gu, '');

/** Writes the code into a file that only the box's own users read, in the form that a console shows before its log-in. */
export const openConsoleCode = async (options: {
	readonly issueFile: string;
	readonly monotonicMs: () => number;
}): Promise<ConsoleCode> => {
	const {issueFile, monotonicMs} = options;
	let code = '';
	let wrongMs: readonly number[] = [];
	const renew = async (): Promise<void> => {
		code = makeCode();
		const shown = `${code.slice(0, codeLength / 2)}-${code.slice(codeLength / 2)}`;
		await writeDurably(issueFile, `Commissioning page: code ${shown}\n`, {mode: 0o600});
	};
	await renew();
	return {
		take: async (given) => {
			const nowMs = monotonicMs();
			wrongMs = wrongMs.filter((atMs) => nowMs - atMs < wrongWindowMs);
			if (wrongMs.length >= wrongCountMax) {
				return 'too-many';
			}
			const asked = Buffer.from(plain(given));
			const right = Buffer.from(code);
			if (asked.length !== right.length || !timingSafeEqual(asked, right)) {
				wrongMs = [...wrongMs, nowMs];
				return 'wrong';
			}
			await renew();
			return 'right';
		},
	};
};
