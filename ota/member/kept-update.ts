import {copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {errorMessage, hasCode} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {openAgentStore, type Trial} from '#ota/agent/agent-store.ts';
import type {UpdateState} from '#ota/agent/update-state.ts';

/** What the last agent wrote of an update, as it was found before another one began. */
export type KeptUpdate = {
	/** Undefined when there is none, or none that this release understands. */
	readonly state: UpdateState | undefined;
	readonly trial: Trial | undefined;
	/** Why nobody can know whether the slot that runs is on trial, for people. */
	readonly lost: string | undefined;
};

export const nothingKept: KeptUpdate = {state: undefined, trial: undefined, lost: undefined};

/**
 * To be looked at before the agent is opened, which puts a damaged file aside and begins anew. What could not be read once
 * stays lost for this boot, however often its supervisor is started: what comes after it knows of no trial.
 */
export const lookAtUpdate = (options: {
	/** Of the agent. */
	readonly directory: string;
	/** Why the data partition is not used, if it is not. */
	readonly stateLost: string | undefined;
	readonly bootId: string;
	readonly logger: Logger;
}): KeptUpdate => {
	const {directory, stateLost, bootId, logger} = options;
	if (stateLost !== undefined) {
		return {...nothingKept, lost: stateLost};
	}
	const lost = (why: string): string => `what was kept of updates could not be read in this boot (${why})`;
	const notePath = path.join(directory, 'unreadable-in-boot');
	try {
		const kept = readUpdate(directory);
		return {...kept, lost: wasLostIn(notePath, bootId) ? lost('the agent began anew') : undefined};
	} catch (error) {
		logger.error({err: error}, 'what was kept of updates cannot be read: this boot is not marked good');
		try {
			writeFileSync(notePath, bootId, {mode: 0o600});
		} catch (failure) {
			logger.debug({err: failure}, 'that it cannot be read cannot be noted');
		}
		return {...nothingKept, lost: lost(errorMessage(error))};
	}
};

/** @throws whatever the disk or SQLite says when there may be something, and it cannot be read. */
export const readUpdate = (directory: string): Pick<KeptUpdate, 'state' | 'trial'> => {
	const filePath = path.join(directory, 'agent.db');
	if (statSync(filePath, {throwIfNoEntry: false}) === undefined) {
		return nothingKept;
	}
	try {
		return readDatabase(filePath);
	} catch (error) {
		if (hasCode(error, 'SQLITE_CORRUPT', 'SQLITE_NOTADB')) {
			throw error;
		}
		return readCopy(filePath);
	}
};

const readDatabase = (filePath: string): Pick<KeptUpdate, 'state' | 'trial'> => {
	using store = openAgentStore(filePath);
	return {state: store.readState(), trial: store.readTrial()};
};

/** A disk that is full, or takes no writes, can still be read; SQLite opens only what it may write beside. */
const readCopy = (filePath: string): Pick<KeptUpdate, 'state' | 'trial'> => {
	const directory = mkdtempSync(path.join(tmpdir(), 'kept-update-'));
	try {
		const copy = path.join(directory, 'agent.db');
		copyFileSync(filePath, copy);
		if (existsSync(`${filePath}-wal`)) {
			copyFileSync(`${filePath}-wal`, `${copy}-wal`);
		}
		return readDatabase(copy);
	} finally {
		rmSync(directory, {recursive: true, force: true});
	}
};

const wasLostIn = (notePath: string, bootId: string): boolean => {
	try {
		return readFileSync(notePath, 'utf8') === bootId;
	} catch {
		return false;
	}
};
