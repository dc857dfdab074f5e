import {spawn} from 'node:child_process';
import {createInterface} from 'node:readline';
import {z} from 'zod';
import {type LogLine, parseLogLine} from '#appliance/diagnostics/log/log-line.ts';
import {killGroup, toolEnvironment} from '#appliance/diagnostics/run-tool.ts';

/** What `journalctl --output json` tells; a message that is no text comes as an array of bytes, or null when too long. */
const entrySchema = z.object({
	MESSAGE: z.union([z.string(), z.array(z.number()), z.null()]),
	PRIORITY: z.coerce.number().int().min(0).max(7).catch(6),
	__REALTIME_TIMESTAMP: z.coerce.number(),
	SYSLOG_IDENTIFIER: z.string().optional(),
	_SYSTEMD_UNIT: z.string().optional(),
});

export type JournalFollower = Disposable & {readonly pause: () => void; readonly resume: () => void};

/** Lines of the system's journal as they come. A reader that rests rests journalctl too, by its pipe. */
export const followJournal = (options: {
	readonly tail: number;
	readonly onLine: (line: LogLine) => void;
	readonly onEnd: (why: string) => void;
	/** Default journalctl of the system. */
	readonly command?: string;
}): JournalFollower => {
	const child = spawn(
		options.command ?? 'journalctl',
		['--follow', '--output', 'json', '--lines', `${options.tail}`, '--no-pager'],
		{stdio: ['ignore', 'pipe', 'ignore'], env: {...toolEnvironment}, detached: true, cwd: '/'},
	);
	const lines = createInterface({input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY});
	lines.on('line', (text) => {
		const line = parseEntry(text);
		if (line !== undefined) {
			options.onLine(line);
		}
	});
	let ended = false;
	const end = (why: string): void => {
		if (!ended) {
			ended = true;
			options.onEnd(why);
		}
	};
	child.on('error', () => end('This box has no journal.'));
	child.on('close', () => end('The journal ended.'));
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
