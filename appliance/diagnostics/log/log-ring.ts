import {type LogLine, parseLogLine} from '#appliance/diagnostics/log/log-line.ts';
import {systemClock} from '#appliance/time/clock.ts';

const linesMax = 4000;
const charsMax = 2 * 1024 ** 2;
const partialCharsMax = 64 * 1024;

/** The last lines that the box's processes printed, for a box on which no journal keeps them. */
export type LogRing = {
	/** Takes what a process printed, in pieces as they come. */
	readonly take: (service: string, text: string) => void;
	readonly lines: () => readonly LogLine[];
	readonly subscribe: (listener: (line: LogLine) => void) => () => void;
};

export const createLogRing = (nowMs: () => number = systemClock.nowMs): LogRing => {
	const lines: LogLine[] = [];
	const listeners = new Set<(line: LogLine) => void>();
	const partial = new Map<string, string>();
	let chars = 0;

	const add = (service: string, printed: string): void => {
		if (printed.trim() === '') {
			return;
		}
		const line = parseLogLine(printed, {atMs: nowMs(), service});
		lines.push(line);
		chars += line.text.length;
		while (lines.length > linesMax || chars > charsMax) {
			chars -= lines.shift()?.text.length ?? 0;
		}
		for (const listener of listeners) {
			listener(line);
		}
	};

	return {
		take: (service, text) => {
			const parts = ((partial.get(service) ?? '') + text).split('\n');
			partial.set(service, (parts.pop() ?? '').slice(0, partialCharsMax));
			for (const part of parts) {
				add(service, part);
			}
		},
		lines: () => lines,
		subscribe: (listener) => {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
	};
};
