/** What takes the place of a secret. */
export const redactedMark = '[removed]';

const keyBegin = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----/u;
const keyEnd = /-----END [A-Z ]{0,40}PRIVATE KEY-----/u;
const wholeKey = new RegExp(`${keyBegin.source}[\\s\\S]*?(?:${keyEnd.source}|$)`, 'gu');
const everyEnd = new RegExp(keyEnd, 'gu');

/** RSA with 16,384 bits has 12,500 characters, and what a log sets before each of its lines as many again. */
const keyCharsMax = 32 * 1024;
/** Line ends as they are, and as JSON has them in a string, or in a string within one. */
const lineEnd = /((?:\\{1,4}[rn])+|\r?\n)/u;
/** What a line of a key ends with is looked for here. */
const lineTailChars = 256;
const keyLine = /[A-Za-z0-9+/]{16,}={0,2}["'\s]*$/u;
const shortKeyLine = /(?:^|[\s:"'])[A-Za-z0-9+/]{1,15}={0,2}["'\s]*$/u;

/** Takes out private keys in PEM (RFC 7468), those too that lost their begin or their end where a text was bounded. */
export const redactKeys = (text: string): string => {
	const rest = text.replace(wholeKey, redactedMark);
	let result = '';
	let from = 0;
	for (const {index, 0: mark} of rest.matchAll(everyEnd)) {
		result += `${withoutKeyTail(rest.slice(from, index))}${redactedMark}`;
		from = index + mark.length;
	}
	return result + rest.slice(from);
};

/** A text that goes over into a key whose begin is not in it: without the lines that may be the key's. */
const withoutKeyTail = (text: string): string => {
	const kept = text.slice(0, -keyCharsMax);
	const pieces = text.slice(-keyCharsMax).split(lineEnd);
	const lineOf = (index: number): string => (pieces[index] ?? '').slice(-lineTailChars);
	// Every other piece is a line end. The last line is what stands before the end mark, in a log its time.
	const last = pieces.length - 1;
	const prefix = keyLine.test(lineOf(last)) ? '' : (pieces[last] ?? '');
	let at = last - 2;
	// The last line of a key is as short as it happens to be, and the first one that is here was cut anywhere.
	const isOfKey = (line: string, mayBeShort: boolean): boolean =>
		keyLine.test(line) || (mayBeShort && shortKeyLine.test(line));
	while (at >= 0 && isOfKey(lineOf(at), at === last - 2 || at === 0)) {
		at -= 2;
	}
	return kept + pieces.slice(0, at + 2).join('') + prefix;
};

/** A key has fewer lines; after so many its end was lost. */
const keyLinesMax = 400;
const writersMax = 256;

/**
 * For lines that come one by one: tells of each whether it belongs to a private key that an earlier one of the same
 * writer began. Lines of others come between.
 */
export const createKeyLines = (): ((line: string, writer: string) => boolean) => {
	const linesLeft = new Map<string, number>();
	return (line, writer) => {
		const left = linesLeft.get(writer) ?? 0;
		if (left > 0) {
			linesLeft.set(writer, keyEnd.test(line) ? 0 : left - 1);
			return true;
		}
		linesLeft.delete(writer);
		const begin = keyBegin.exec(line);
		if (begin !== null && !keyEnd.test(line.slice(begin.index)) && linesLeft.size < writersMax) {
			linesLeft.set(writer, keyLinesMax);
		}
		return false;
	};
};
