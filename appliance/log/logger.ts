import {type DestinationStream, type Logger, type LoggerOptions, pino, stdTimeFunctions} from 'pino';

export type {Logger} from 'pino';

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * The root logger of a process: JSON lines on standard error, so that standard output stays for what a command answers.
 * `error` needs a person, `warn` one operation failed oddly, `info` a state change, `debug` what a peer can trigger at will.
 */
export const createLogger = (
	options: {readonly name: string; readonly level?: LogLevel},
	destination?: DestinationStream,
): Logger => {
	const settings: LoggerOptions = {
		name: options.name,
		level: options.level ?? 'info',
		timestamp: stdTimeFunctions.isoTime,
		redact: ['*.token', '*.password', '*.authorization', 'headers.authorization'],
	};
	return pino(settings, destination ?? pino.destination({dest: 2, sync: true}));
};

/** A logger that says nothing, for tests and for libraries used without one. */
export const silentLogger = (): Logger => pino({level: 'silent'});
