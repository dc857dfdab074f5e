import {rm, symlink, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {silentLogger} from '#appliance/log/logger.ts';
import {openAgentStore} from '#ota/agent/agent-store.ts';
import type {UpdateState} from '#ota/agent/update-state.ts';
import {type KeptUpdate, lookAtUpdate} from '#ota/member/kept-update.ts';
import {sampleJob} from '#test/helper/sample-update.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const state: UpdateState = {kind: 'confirming', job: sampleJob(), sinceMs: 1, fromSlot: 'rootfs.0', boots: 1};
const look = (directory: string, bootId = 'boot-2', stateLost?: string): KeptUpdate =>
	lookAtUpdate({directory, bootId, stateLost, logger: silentLogger()});
const write = (directory: string): void => {
	using store = openAgentStore(path.join(directory, 'agent.db'));
	store.writeState(state, {isNews: true});
};

test('a trial is found where the agent left one, and nothing where there never was one', async (t) => {
	const directory = await withDirectory(t);
	t.like(look(path.join(directory, 'not-yet')), {state: undefined, trial: undefined, lost: undefined});
	write(directory);
	t.like(look(directory), {state, trial: {fromSlot: 'rootfs.0'}, lost: undefined});
});

test('what was damaged when the box started stays lost for that boot, although the agent begins anew', async (t) => {
	const directory = await withDirectory(t);
	const file = path.join(directory, 'agent.db');
	await writeFile(file, 'no database, however long one looks at it'.repeat(200));
	t.regex(look(directory).lost ?? '', /could not be read/u);
	await rm(file);
	openAgentStore(file)[Symbol.dispose]();
	t.regex(look(directory).lost ?? '', /could not be read/u, 'the supervisor is started again');
	t.is(look(directory, 'boot-3').lost, undefined);
});

test('a disk that takes no writes is read all the same', async (t) => {
	const directory = await withDirectory(t);
	write(directory);
	// SQLite can make none of its own files beside it.
	await symlink('/nowhere/agent.db-wal', path.join(directory, 'agent.db-wal'));
	t.throws(() => openAgentStore(path.join(directory, 'agent.db')));
	t.like(look(directory), {state, lost: undefined});
});

test('without its data partition a box knows of no trial, and says that it is lost', async (t) => {
	t.is(look(await withDirectory(t), 'boot-2', 'the disk is dead').lost, 'the disk is dead');
});
