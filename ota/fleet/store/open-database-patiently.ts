import {CodedError, errorCode, errorMessage} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {backoffMs} from '#appliance/time/backoff.ts';
import {sleep} from '#appliance/time/sleep.ts';
import {type OpenFleetDatabase, openFleetDatabase} from '#ota/fleet/store/open-fleet-database.ts';

/** A database that starts together with this server, or that another one took over a moment ago. */
const patienceMsDefault = 60_000;
const retry = {initialMs: 500, maxMs: 5000};

/** Of Node's sockets, and of PostgreSQL (its appendix A): it starts or stops, or has no connection left. */
const passingCodes: ReadonlySet<string> = new Set([
	...['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT'],
	...['57P03', '57P01', '53300'],
]);

/**
 * Opens the database; one that cannot be reached yet is waited for. A wrong password or name is told at once.
 * @throws CodedError OTA_DATABASE_UNUSABLE
 */
export const openDatabasePatiently = async (options: {
	readonly url: string;
	readonly logger: Logger;
	readonly signal: AbortSignal;
	readonly patienceMs?: number;
}): Promise<OpenFleetDatabase> => {
	const {url, logger, signal, patienceMs = patienceMsDefault} = options;
	const untilMs = performance.now() + patienceMs;
	for (let attempt = 0; ; attempt += 1) {
		try {
			return await openFleetDatabase({url});
		} catch (error) {
			if (!isPassing(error) || performance.now() >= untilMs) {
				throw coded(error, url);
			}
			if (attempt === 0) {
				logger.warn({reason: errorMessage(error), patienceMs}, 'the database does not answer yet; it is waited for');
			}
			await sleep(backoffMs(attempt, retry), {signal});
		}
	}
};

const isPassing = (error: unknown): boolean =>
	error instanceof CodedError &&
	(passingCodes.has(errorCode(error.cause) ?? '') || /timeout/iu.test(errorMessage(error.cause)));

/** better-sqlite3 opens at once, and throws errors of its own. */
const coded = (error: unknown, url: string): unknown =>
	error instanceof CodedError
		? error
		: new CodedError('OTA_DATABASE_UNUSABLE', {
				message: `The fleet's database ${url.replace(/^sqlite:/u, '')} cannot be opened.`,
				cause: error,
			});
