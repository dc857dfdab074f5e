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
	const family: Family = new Set();
	settings.onChild = (child) => enter(family, child);
	const logger = pino(settings, destination ?? pino.destination({dest: 2, sync: true}));
	enter(family, logger);
	return logger;
};

/** A logger and all its children: pino gives each a level of its own, which a process's level is meant for. */
type Family = Set<WeakRef<Logger>>;
const families = new WeakMap<Logger, Family>();
/** From so many members on the dead are looked for at each birth. */
const familyMax = 1000;

const enter = (family: Family, member: Logger): void => {
	families.set(member, family);
	family.add(new WeakRef(member));
	if (family.size > familyMax) {
		for (const reference of family) {
			if (reference.deref() === undefined) {
				family.delete(reference);
			}
		}
	}
};

/** Sets the level of a logger that `createLogger` made, or of a child of it, and of all its kin. */
export const setLogLevel = (logger: Logger, level: LogLevel): void => {
	for (const reference of families.get(logger) ?? []) {
		const member = reference.deref();
		if (member !== undefined) {
			member.level = level;
		}
	}
};

/** A logger that says nothing, for tests and for libraries used without one. */
export const silentLogger = (): Logger => pino({level: 'silent'});
