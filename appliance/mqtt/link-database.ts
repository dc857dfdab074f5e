import {rename} from 'node:fs/promises';
import path from 'node:path';
import {errorCode} from '#appliance/error/coded-error.ts';
import {trustTables} from '#appliance/identity/trust-repository.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {commandTable} from '#appliance/mqtt/command-repository.ts';
import {spoolTables} from '#appliance/mqtt/spool-repository.ts';
import {stateTable} from '#appliance/mqtt/state-repository.ts';
import {type Database, openDatabase} from '#appliance/store/open-database.ts';

const migrations = [`${trustTables}${spoolTables}${stateTable}${commandTable}`] as const;
/** Also a database of a newer release, after a box fell back to this one. */
const unusableCodes: readonly (string | undefined)[] = ['SQLITE_CORRUPT', 'SQLITE_NOTADB', 'APPLIANCE_STORE_NEWER'];
const unusableDisk = /^SQLITE_(?:CANTOPEN|FULL|IOERR|READONLY)/u;

/**
 * Opens link.db. A box must be reachable whatever its disk did: a database that is damaged, or of a newer release, is put
 * aside and a new one begun (a new epoch, and the trust begins at the claim's key again, from where `desired` brings the
 * chain); on a disk that cannot be written at all it is kept in memory, so that somebody can still look at the box.
 */
export const openLinkDatabase = async (directory: string, logger: Logger): Promise<Database> => {
	const filePath = path.join(directory, 'link.db');
	try {
		return openChecked(filePath);
	} catch (error) {
		if (!unusableCodes.includes(errorCode(error))) {
			return openInMemory(error, logger);
		}
		logger.error({err: error}, 'the link’s database is damaged, or of a newer release, and was put aside');
	}
	for (const suffix of ['', '-wal', '-shm']) {
		await rename(`${filePath}${suffix}`, `${filePath}.damaged${suffix}`).catch(() => undefined);
	}
	try {
		return openChecked(filePath);
	} catch (error) {
		return openInMemory(error, logger);
	}
};

const openInMemory = (error: unknown, logger: Logger): Database => {
	if (!unusableDisk.test(errorCode(error) ?? '')) {
		throw error;
	}
	logger.error({err: error}, 'the link’s database cannot be written; what the box tells is lost when it stops');
	return openDatabase({path: ':memory:', migrations});
};

const openChecked = (filePath: string): Database => {
	const database = openDatabase({path: filePath, migrations});
	const [answer] = database.pragma('quick_check(1)', {simple: false}) as readonly {readonly quick_check: string}[];
	if (answer?.quick_check !== 'ok') {
		database.close();
		throw Object.assign(new Error(`quick_check: ${answer?.quick_check}`), {code: 'SQLITE_CORRUPT'});
	}
	return database;
};
