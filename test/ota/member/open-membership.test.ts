import {mkdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {reportedSchema} from '#appliance/contract/fleet/reported-schema.ts';
import {systemClock} from '#appliance/time/clock.ts';
import {openAgentStore} from '#ota/agent/agent-store.ts';
import type {UpdateState} from '#ota/agent/update-state.ts';
import {provisionSlots} from '#ota/slot/directory/directory-installer.ts';
import {eventually} from '#test/helper/eventually.ts';
import {sampleJob} from '#test/helper/sample-update.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import type {TestFleetServer} from '#test/helper/with-fleet-link.ts';
import {lastReport, withMember} from '#test/helper/with-member.ts';
import {withRelease} from '#test/helper/with-release.ts';

const awayMs = 24 * 3_600_000;

test('a box that comes back after its order’s life waits for the renewed one, and takes it under the same id', async (t) => {
	const slots = await withDirectory(t);
	await mkdir(path.join(slots, 'slot-a'));
	await provisionSlots({root: slots, release: '1.0.0', signal: AbortSignal.timeout(10_000)});
	const {order, key} = await withRelease(t);
	const member = await withMember(t, {
		releaseCaPem: key.caPem,
		fleet: {compatible: 'lab', installer: {kind: 'directory', directory: slots}},
	});
	const {setup} = member;
	const server = await member.startServer();
	const desired = {kind: 'desired', update: {...order, allowDowngrade: true}, config: {}};

	// Its link alone, a day ago: the order is kept, and the power goes before it is begun.
	const thenMs = Date.now() - awayMs;
	const iat = Math.floor(thenMs / 1000);
	const link = await setup.startLink({
		directory: path.join(member.stateDirectory, 'fleet'),
		clock: {...systemClock, nowMs: () => thenMs},
	});
	await server.desire(await setup.signer.sign(desired, {revision: 1, iat, exp: iat + 3600}));
	await eventually('the order is kept', () => link.desired()?.revision === 1);
	await link[Symbol.asyncDispose]();

	member.start();
	await eventually('it has looked at what it kept', () => lastReport(server)?.config.overlayRevision === 1);
	await server.desire(await setup.signer.sign(desired, {revision: 2}));
	const phases = () => server.events.flatMap(({event}) => (event.kind === 'update' ? [event.data.phase] : []));
	await eventually('it is begun, or refused', () => phases().some((phase) => phase !== 'accepted'));
	t.deepEqual(phases().slice(0, 2), ['accepted', 'fetching']);
});

/** A box whose slots nobody can read, in the boot after its new slot was made the next. */
const withSilentTrial = async (t: ExecutionContext, options: {readonly isDamaged?: boolean} = {}) => {
	const slots = path.join(await withDirectory(t), 'slots');
	await writeFile(slots, 'no directory');
	const member = await withMember(t, {fleet: {compatible: 'lab', installer: {kind: 'directory', directory: slots}}});
	const directory = path.join(member.stateDirectory, 'fleet', 'update');
	await mkdir(directory, {recursive: true});
	const file = path.join(directory, 'agent.db');
	const readState = (): UpdateState | undefined => {
		using store = openAgentStore(file);
		return store.readState();
	};
	{
		using store = openAgentStore(file);
		store.writeState({kind: 'rebooting', job: sampleJob(), fromSlot: 'slot-a', tries: 1, sinceMs: 1}, {isNews: true});
	}
	if (options.isDamaged === true) {
		await writeFile(file, 'no database '.repeat(1000));
	}
	return {member, readState};
};

const phasesOf = (server: TestFleetServer): readonly string[] =>
	server.heard
		.filter(({topic}) => topic === 'reported')
		.map(({payload}) => reportedSchema.parse(JSON.parse(payload)).update.phase);

test('a release on trial that nobody can observe goes back by itself, and is never told as one without a trial', async (t) => {
	const {member, readState} = await withSilentTrial(t);
	const server = await member.startServer();
	const box = member.start();
	await box.ended;
	t.regex(box.output(), /a reboot into the other slot/u);
	t.like(readState(), {kind: 'reverting', reason: {code: 'OTA_ROLLED_BACK_UNOBSERVABLE'}});
	t.deepEqual(
		phasesOf(server).filter((phase) => !['rebooting', 'confirming'].includes(phase)),
		[],
	);
});

test('a box that cannot know whether it is on trial reports itself, and not as idle', async (t) => {
	const {member} = await withSilentTrial(t, {isDamaged: true});
	const server = await member.startServer();
	member.start();
	const report = await eventually('a report', () => lastReport(server), {timeoutMs: 120_000});
	t.like(report, {update: {phase: 'confirming', reason: {code: 'OTA_MEMBER_TRIAL_UNKNOWN'}}});
	t.deepEqual(new Set(phasesOf(server)), new Set(['confirming']));
});

test('a box without its data partition says so, on its own page and to its fleet', async (t) => {
	const runDirectory = await withDirectory(t);
	await writeFile(path.join(runDirectory, 'state-lost'), 'it cannot be mounted\n');
	const member = await withMember(t, {runDirectory});
	const server = await member.startServer();
	const box = member.start();
	const report = await eventually('a report', () => lastReport(server));
	t.false(report.healthy);
	t.regex(report.reasons.join(), /the data partition cannot be used \(it cannot be mounted\)/u);
	t.regex((await box.status()).reasons.join(), /the data partition cannot be used/u);
});
