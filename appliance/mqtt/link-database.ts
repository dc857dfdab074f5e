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
const corruptCodes: readonly (string | undefined)[] = ['SQLITE_CORRUPT', 'SQLITE_NOTADB'];

/**
 * Opens link.db. One that is damaged is put aside and a new one begun: its spool is a new epoch, and the trust begins at
 * the claim's key again, from where `desired` brings the chain. A box must be reachable whatever its disk did.
 */
export const openLinkDatabase = async (directory: string, logger: Logger): Promise<Database> => {
	const filePath = path.join(directory, 'link.db');
	try {
		return openChecked(filePath);
	} catch (error) {
		if (!corruptCodes.includes(errorCode(error))) {
			throw error;
		}
		logger.error({err: error}, 'the link’s database is damaged and was put aside');
	}
	for (const suffix of ['', '-wal', '-shm']) {
		await rename(`${filePath}${suffix}`, `${filePath}.damaged${suffix}`).catch(() => undefined);
	}
	return openChecked(filePath);
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
