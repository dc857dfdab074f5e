import {mkdir, rename} from 'node:fs/promises';
import {join} from 'node:path';
import {CodedError, errorMessage, hasCode} from '#appliance/error/coded-error.ts';
import type {Agent, StartAgentOptions} from '#ota/agent/agent.ts';
import {type AgentStore, openAgentStore} from '#ota/agent/agent-store.ts';
import {createBundleShelf} from '#ota/agent/bundle-shelf.ts';
import {type SettledOptions, settleOptions} from '#ota/agent/settled-options.ts';
import {createUpdateRunner} from '#ota/agent/update-runner.ts';

/** Starts the agent where the last one was stopped, killed or cut off; see design.md section 6. */
export const startAgent = async (given: StartAgentOptions): Promise<Agent> => {
	const options = settleOptions({...given, logger: given.logger.child({component: 'update'})});
	options.signal.throwIfAborted();
	const store = await openStore(options);
	const stop = new AbortController();
	const signal = AbortSignal.any([options.signal, stop.signal]);
	const runner = createUpdateRunner({...options, signal}, store, createBundleShelf({...options, signal}, store));
	runner.start();
	return {
		assign: (update, assignment = {}) => runner.assign(update, assignment),
		status: runner.status,
		[Symbol.asyncDispose]: async () => {
			stop.abort(new DOMException('the agent is stopped', 'AbortError'));
			await runner.settled();
			store[Symbol.dispose]();
		},
	};
};

/** A box that cannot keep its state is not updated, but it runs, and says so. */
const openStore = async ({
	stateDirectory,
	openStore: open = openAgentStore,
	logger,
}: SettledOptions): Promise<AgentStore> => {
	const path = join(stateDirectory, 'agent.db');
	try {
		await mkdir(stateDirectory, {recursive: true});
		return open(path);
	} catch (error) {
		if (hasCode(error, 'SQLITE_CORRUPT', 'SQLITE_NOTADB')) {
			logger.error({err: error}, 'the state of updates was unreadable and is begun anew');
			for (const suffix of ['', '-wal', '-shm']) {
				await rename(`${path}${suffix}`, `${path}.broken${suffix}`).catch(() => undefined);
			}
			return open(path);
		}
		logger.error({err: error}, 'the state of updates cannot be kept: no update will be taken');
		return brokenStore(error);
	}
};

const brokenStore = (cause: unknown): AgentStore => {
	const refuse = (): never => {
		throw new CodedError('OTA_FAILED_STORE', {message: errorMessage(cause), cause});
	};
	return {
		readState: () => undefined,
		readHighest: () => undefined,
		readTrial: () => undefined,
		writeState: refuse,
		isTold: () => true,
		markTold: () => undefined,
		isFinished: () => false,
		forgetFinished: () => undefined,
		readProgress: () => undefined,
		writeProgress: refuse,
		readKept: () => undefined,
		writeKept: refuse,
		[Symbol.dispose]: () => undefined,
	};
};
