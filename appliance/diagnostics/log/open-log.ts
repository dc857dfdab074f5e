import {createKeyLines, redactedMark} from '#appliance/diagnostics/bundle/redact-keys.ts';
import {followJournal} from '#appliance/diagnostics/log/follow-journal.ts';
import {formatLogLine, type LogFilter, type LogLine, passesFilter} from '#appliance/diagnostics/log/log-line.ts';
import type {LogRing} from '#appliance/diagnostics/log/log-ring.ts';
import type {StreamListener, StreamSource} from '#appliance/diagnostics/stream/stream-source.ts';
import type {Logger} from '#appliance/log/logger.ts';

/** Lines that wait while the other end does not keep up; what is more is counted and left out. */
const waitingLinesMax = 2000;

export type LogOptions = LogFilter & {
	/** Lines of the past to begin with. */
	readonly tail: number;
	/** Where the lines come from: the system's journal, or what this process kept. */
	readonly origin:
		| {readonly kind: 'journal'; readonly command?: string}
		| {readonly kind: 'ring'; readonly ring: LogRing};
	readonly redact: (text: string) => string;
	readonly listener: StreamListener;
	/** Told what is wrong with the journal. */
	readonly logger: Pick<Logger, 'warn'>;
};

/** A log as it grows, filtered on the box so that only what is wanted costs the link. */
export const openLog = (options: LogOptions): StreamSource => {
	const {origin, listener, redact, logger} = options;
	const waiting: LogLine[] = [];
	let resting = false;
	let leftOut = 0;
	const tell = (line: LogLine): void => listener.onText(`${redact(formatLogLine(line))}\n`);
	const isOfKey = createKeyLines();
	const take = (said: LogLine): void => {
		const line = isOfKey(said.text, said.service) ? {...said, text: redactedMark} : said;
		if (!passesFilter(line, options)) {
			return;
		}
		if (!resting) {
			tell(line);
		} else if (waiting.length < waitingLinesMax) {
			waiting.push(line);
		} else {
			leftOut += 1;
		}
	};
	const source =
		origin.kind === 'journal'
			? followJournal({
					tail: options.tail,
					onLine: take,
					onWarning: (warning) => {
						logger.warn({err: warning}, 'the journal is not whole');
						// Whatever the filter: it may be why there is nothing to see.
						listener.onText(`(${warning.code}: ${redact(warning.message)})\n`);
					},
					onEnd: ({code, message}) => listener.onEnd({code, message: redact(message)}),
					...(origin.command === undefined ? {} : {command: origin.command}),
				})
			: followRing(origin.ring, {take, filter: options, tail: options.tail});
	return {
		write: () => undefined,
		resize: () => undefined,
		pause: () => {
			resting = true;
			source.pause();
		},
		resume: () => {
			resting = false;
			while (!resting && waiting.length > 0) {
				const line = waiting.shift();
				if (line !== undefined) {
					tell(line);
				}
			}
			if (!resting) {
				if (leftOut > 0) {
					listener.onText(`(${leftOut} lines were left out: the reader did not keep up)\n`);
					leftOut = 0;
				}
				source.resume();
			}
		},
		[Symbol.asyncDispose]: () => {
			source[Symbol.dispose]();
			return Promise.resolve();
		},
	};
};

const followRing = (
	ring: LogRing,
	{take, filter, tail}: {readonly take: (line: LogLine) => void; readonly filter: LogFilter; readonly tail: number},
) => {
	const past =
		tail === 0
			? []
			: ring
					.lines()
					.filter((line) => passesFilter(line, filter))
					.slice(-tail);
	// Not before whoever opens the stream knows it.
	queueMicrotask(() => past.forEach(take));
	const stop = ring.subscribe(take);
	return {pause: () => undefined, resume: () => undefined, [Symbol.dispose]: () => void stop()};
};
