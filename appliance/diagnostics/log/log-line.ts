import {type LogLevel, logLevels} from '#appliance/log/logger.ts';

export type LogLine = {
	readonly atMs: number;
	/** A role, `supervisor`, or a unit of the system. */
	readonly service: string;
	readonly level: LogLevel;
	readonly text: string;
};

export type LogFilter = {
	readonly service?: string | undefined;
	readonly levelMin?: LogLevel | undefined;
	readonly contains?: string | undefined;
};

export const lineCharsMax = 8000;

/** pino's numbers, and the priorities of RFC 5424 section 6.2.1 as the journal tells them. */
const levelOfNumber = new Map<number, LogLevel>([
	[60, 'fatal'],
	[50, 'error'],
	[40, 'warn'],
	[30, 'info'],
	[20, 'debug'],
	[10, 'trace'],
]);
const levelOfPriority: readonly LogLevel[] = ['fatal', 'fatal', 'fatal', 'error', 'warn', 'info', 'info', 'debug'];

/** One line as a process printed it: ours are JSON, those of daemons are not. */
export const parseLogLine = (
	printed: string,
	fallback: {readonly atMs: number; readonly service: string; readonly priority?: number},
): LogLine => {
	const line = printed.slice(0, lineCharsMax);
	const level = levelOfPriority[fallback.priority ?? 6] ?? 'info';
	const fields = line.startsWith('{') ? parseObject(line) : undefined;
	if (fields === undefined || typeof fields['msg'] !== 'string') {
		return {atMs: fallback.atMs, service: fallback.service, level, text: line};
	}
	const {level: number, time, pid: _pid, hostname: _hostname, name, msg, ...rest} = fields;
	const atMs = typeof time === 'string' ? Date.parse(time) : Number(time);
	const facts = Object.keys(rest).length === 0 ? '' : ` ${JSON.stringify(rest)}`;
	return {
		atMs: Number.isFinite(atMs) ? atMs : fallback.atMs,
		service: typeof name === 'string' ? name : fallback.service,
		level: levelOfNumber.get(Number(number)) ?? level,
		text: `${msg}${facts}`,
	};
};

const parseObject = (text: string): Record<string, unknown> | undefined => {
	try {
		const value: unknown = JSON.parse(text);
		return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
	} catch {
		return undefined;
	}
};

export const passesFilter = (line: LogLine, {service, levelMin, contains}: LogFilter): boolean =>
	(service === undefined || line.service === service) &&
	(levelMin === undefined || logLevels.indexOf(line.level) <= logLevels.indexOf(levelMin)) &&
	(contains === undefined || line.text.toLowerCase().includes(contains.toLowerCase()));

export const formatLogLine = ({atMs, service, level, text}: LogLine): string =>
	`${new Date(atMs).toISOString()} ${level.padEnd(5)} ${service}: ${text}`;
