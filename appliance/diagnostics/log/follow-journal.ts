import {spawn} from 'node:child_process';
import {createInterface} from 'node:readline';
import {z} from 'zod';
import type {DiagnosticsErrorCode} from '#appliance/diagnostics/error-code.ts';
import {type LogLine, parseLogLine} from '#appliance/diagnostics/log/log-line.ts';
import {killGroup, toolEnvironment} from '#appliance/diagnostics/run-tool.ts';
import {CodedError} from '#appliance/error/coded-error.ts';

/** What `journalctl --output json` tells; a message that is no text comes as an array of bytes, or null when too long. */
const entrySchema = z.object({
	MESSAGE: z.union([z.string(), z.array(z.number()), z.null()]),
	PRIORITY: z.coerce.number().int().min(0).max(7).catch(6),
	__REALTIME_TIMESTAMP: z.coerce.number(),
	SYSLOG_IDENTIFIER: z.string().optional(),
	_SYSTEMD_UNIT: z.string().optional(),
});

/** A damaged journal has one for each of its files. */
const warningsMax = 5;
const warningCharsMax = 300;

export type JournalFollower = Disposable & {readonly pause: () => void; readonly resume: () => void};

export type JournalOptions = {
	readonly tail: number;
	readonly onLine: (line: LogLine) => void;
	/** What journalctl says of itself, such as files that it cannot read; it goes on. */
	readonly onWarning: (warning: CodedError<DiagnosticsErrorCode>) => void;
	/** Once: there will be no more lines. */
	readonly onEnd: (why: CodedError<DiagnosticsErrorCode>) => void;
	/** Default journalctl of the system. */
	readonly command?: string;
};

/** Lines of the system's journal as they come. A reader that rests rests journalctl too, by its pipe. */
export const followJournal = (options: JournalOptions): JournalFollower => {
	const child = spawn(
		options.command ?? 'journalctl',
		['--follow', '--output', 'json', '--lines', `${options.tail}`, '--no-pager'],
		{stdio: ['ignore', 'pipe', 'pipe'], env: {...toolEnvironment}, detached: true, cwd: '/'},
	);
	const lines = createInterface({input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY});
	lines.on('line', (text) => {
		const line = parseEntry(text);
		if (line !== undefined) {
			options.onLine(line);
		}
	});
	let ended = false;
	const complaints = takeComplaints(child.stderr, (text) => {
		if (!ended) {
			options.onWarning(journalError('DIAGNOSTICS_JOURNAL_INCOMPLETE', `journalctl says: ${text}`));
		}
	});
	const end = (why: CodedError<DiagnosticsErrorCode>): void => {
		if (!ended) {
			ended = true;
			options.onEnd(why);
		}
	};
	child.on('error', (cause) => end(journalError('DIAGNOSTICS_NOT_HERE', 'This box has no journal.', cause)));
	child.on('close', (code, signal) =>
		end(
			code === 0
				? journalError('DIAGNOSTICS_LOG_ENDED', 'The journal ended.')
				: journalError(
						'DIAGNOSTICS_JOURNAL_FAILED',
						`journalctl ended with ${code ?? signal}: ${complaints().at(-1) ?? 'it does not say why'}`,
					),
		),
	);
	return {
		pause: () => child.stdout.pause(),
		resume: () => child.stdout.resume(),
		[Symbol.dispose]: () => {
			ended = true;
			lines.close();
			killGroup(child);
		},
	};
};

const journalError = (code: DiagnosticsErrorCode, message: string, cause?: Error): CodedError<DiagnosticsErrorCode> =>
	new CodedError(code, {message, cause});

/** Reads on for ever, so that nobody waits for us, and keeps and tells the first few. Answers what it kept. */
const takeComplaints = (stream: NodeJS.ReadableStream, tell: (text: string) => void): (() => readonly string[]) => {
	const kept: string[] = [];
	createInterface({input: stream, crlfDelay: Number.POSITIVE_INFINITY}).on('line', (line) => {
		const text = line.trim().slice(0, warningCharsMax);
		if (text !== '' && kept.length < warningsMax) {
			kept.push(text);
			tell(text);
		}
	});
	return () => kept;
};

const parseEntry = (text: string): LogLine | undefined => {
	try {
		const entry = entrySchema.parse(JSON.parse(text));
		const message = Array.isArray(entry.MESSAGE) ? Buffer.from(entry.MESSAGE).toString('utf8') : (entry.MESSAGE ?? '');
		return parseLogLine(message, {
			atMs: Math.floor(entry.__REALTIME_TIMESTAMP / 1000),
			service: entry.SYSLOG_IDENTIFIER ?? entry._SYSTEMD_UNIT ?? 'system',
			priority: entry.PRIORITY,
		});
	} catch {
		// A line that journalctl cut off is not worth the stream.
		return undefined;
	}
};
