import type {Readable} from 'node:stream';
import type {Logger} from '#appliance/log/logger.ts';

const lineCharactersMax = 2000;
/** A daemon that goes wild must not fill the log: so many lines of one child a second, the rest is counted. */
const linesPerSecondMax = 50;
const tailLinesMax = 20;

export type ChildOutput = {
	/** The last lines, oldest first: what a person wants to see after a crash. */
	readonly tail: () => readonly string[];
	readonly read: (stream: Readable, name: 'stdout' | 'stderr') => void;
};

/** Turns what a child prints into log lines, each bounded, and not more of them than a log can bear. */
export const createChildOutput = (logger: Logger, nowMs: () => number): ChildOutput => {
	const tail: string[] = [];
	let secondStartMs = nowMs();
	let linesInSecond = 0;
	let droppedLines = 0;

	const take = (line: string, name: 'stdout' | 'stderr'): void => {
		if (line.trim() === '') {
			return;
		}
		tail.push(line);
		if (tail.length > tailLinesMax) {
			tail.shift();
		}
		if (nowMs() - secondStartMs >= 1000) {
			if (droppedLines > 0) {
				logger.warn({droppedLines}, 'child printed more than the log takes');
			}
			secondStartMs = nowMs();
			linesInSecond = 0;
			droppedLines = 0;
		}
		linesInSecond += 1;
		if (linesInSecond > linesPerSecondMax) {
			droppedLines += 1;
			return;
		}
		logger.info({stream: name, line}, 'child printed');
	};

	return {
		tail: () => [...tail],
		read: (stream, name) => {
			let rest = '';
			stream.setEncoding('utf8');
			stream.on('data', (text: string) => {
				const lines = (rest + text).split('\n');
				// A line without an end is cut where it is too long; what follows of it is a line of its own.
				rest = lines.pop() ?? '';
				while (rest.length > lineCharactersMax) {
					lines.push(rest.slice(0, lineCharactersMax));
					rest = rest.slice(lineCharactersMax);
				}
				for (const line of lines) {
					take(line.slice(0, lineCharactersMax), name);
				}
			});
			stream.on('end', () => take(rest.slice(0, lineCharactersMax), name));
			// A pipe that breaks says nothing that the child's end does not say.
			stream.on('error', () => undefined);
		},
	};
};
