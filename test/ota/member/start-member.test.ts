import {randomUUID} from 'node:crypto';
import {readFile, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import type {CommandArguments, CommandName} from '#appliance/contract/fleet/command-schema.ts';
import {eventually} from '#test/helper/eventually.ts';
import {isProcessAlive} from '#test/helper/is-process-alive.ts';
import type {TestFleetServer} from '#test/helper/with-fleet-link.ts';
import {lastReport, memberToken, type TestMember, withMember} from '#test/helper/with-member.ts';

const desire = async (
	{setup}: TestMember,
	server: TestFleetServer,
	config: Record<string, unknown>,
	revision: number,
): Promise<void> => {
	await server.desire(await setup.signer.sign({kind: 'desired', config}, {revision}));
};

const command = async <Name extends CommandName>(
	{setup}: TestMember,
	server: TestFleetServer,
	name: Name,
	args: Partial<CommandArguments<Name>>,
) => {
	const jti = randomUUID();
	const order = await setup.signer.sign(
		{kind: 'command', name, arguments: args, deadlineMs: Date.now() + 30_000},
		{jti},
	);
	await server.publish(`command/${name}`, {version: 1, order});
	return await eventually(`a reply to ${name}`, () =>
		server.replies.find(({id, state}) => id === jti && !['accepted', 'progress'].includes(state)),
	);
};

test.serial('a box enrols, reports, measures and tells of its boot; its role waits for none of it', async (t) => {
	const member = await withMember(t);
	await member.setup.broker.kill();
	const box = member.start();
	await eventually('a role without a fleet', async () => (await box.status()).healthy);
	t.false((await box.status()).fleet?.connected);
	await member.setup.broker.start();
	const server = await member.startServer();
	const report = await eventually('a report of the new certificate', () => {
		const last = lastReport(server);
		return (last?.certificate.notAfterMs ?? 0) > Date.now() ? last : undefined;
	});
	t.like(report, {
		...{deviceId: 'stb-0001', kind: 'stb', healthy: true, timeZone: 'UTC'},
		...{hardware: {model: 'test-box'}, update: {phase: 'idle'}},
	});
	t.is(report.services[0]?.state, 'running');
	await eventually('the boot', () => server.events.find(({event}) => event.kind === 'boot'));
	const sample = await eventually('telemetry of a healthy box', () =>
		server.telemetry.flatMap(({samples}) => samples).find(({values}) => values['healthy'] === 1),
	);
	t.true((sample.values['disk_free_bytes'] ?? 0) > 0);
	t.is(member.enrolled(), 1);
	t.false((await readFile(path.join(member.stateDirectory, 'fleet', 'claim.json'), 'utf8')).includes(memberToken));
	t.like((await box.status()).fleet, {enrolled: true, connected: true, overlayRevision: 0});
	box.kill('SIGTERM');
	t.is((await box.ended).code, 0);
	await eventually('a clean goodbye', () =>
		server.heard.findLast(({topic}) => topic === 'presence')?.payload.includes('offline'),
	);
});

test.serial(
	'a box without a claim, or with a broken one, plays all the same, and joins when one is brought',
	async (t) => {
		const member = await withMember(t);
		const claim = await readFile(member.claimFile, 'utf8');
		await rm(member.claimFile);
		const box = member.start();
		await eventually('healthy', async () => (await box.status()).healthy);
		await eventually('no claim file', async () => /no claim file/u.test((await box.status()).fleet?.reason ?? ''));
		await writeFile(member.claimFile, '{"version": 1, "fleet": "half a clai');
		await eventually('why', async () => (await box.status()).fleet?.reason?.includes('not a claim file'));
		await writeFile(member.claimFile, claim);
		await eventually('enrolled', async () => (await box.status()).fleet?.connected);
		t.is((await box.status()).fleet?.reason, undefined);
	},
);

test.serial('configuration from afar is tried, kept, refused with a reason, or taken back', async (t) => {
	const member = await withMember(t);
	const server = await member.startServer();
	const box = member.start();
	await eventually('healthy', async () => (await box.status()).healthy);
	const first = await box.rolePid();
	await desire(member, server, {stb: {disposeMs: 1}}, 1);
	await eventually('kept', () => lastReport(server)?.config.overlayRevision === 1);
	const second = await box.rolePid();
	t.not(second, first, 'its section changed, so that the role was started anew');

	await desire(member, server, {stb: {disposeMs: 1}}, 2);
	await eventually('the same', () => lastReport(server)?.config.overlayRevision === 2);
	t.is(await box.rolePid(), second, 'nothing changed for the role');

	await desire(member, server, {stb: {disposeMs: 'long', nonsense: 1}}, 3);
	const refused = await eventually('refused', () => lastReport(server)?.config.refused);
	t.regex(refused, /stb\.nonsense: is not a known key/u);
	t.is(await box.rolePid(), second);

	await desire(member, server, {box: {id: 'other'}}, 4);
	await eventually('forbidden', () => /may change only stb and log/u.test(lastReport(server)?.config.refused ?? ''));

	await desire(member, server, {stb: {disposeMs: 1, takesChanges: true}}, 5);
	await eventually('taken up', () => lastReport(server)?.config.overlayRevision === 5);
	t.is(await box.rolePid(), second, 'the role took it as it ran');

	await desire(member, server, {stb: {refuseToStart: true}}, 6);
	const reverted = await eventually('taken back', () => {
		const reason = lastReport(server)?.config.refused;
		return reason?.includes('does not run') ? reason : undefined;
	});
	t.regex(reverted, /exited with code 1/u);
	await eventually('healthy again', async () => (await box.status()).healthy);
	t.like(lastReport(server), {config: {overlayRevision: 5}});
	t.true(server.events.some(({event}) => event.kind === 'service'));
});

test.serial('commands are run, and what a broker’s outage kept back arrives', async (t) => {
	const member = await withMember(t);
	const server = await member.startServer();
	const box = member.start();
	await eventually('connected', () => lastReport(server));
	await eventually('healthy', async () => (await box.status()).healthy);
	t.like(await command(member, server, 'ping', {host: '127.0.0.1', count: 2}), {state: 'done', result: {received: 2}});
	t.like(await command(member, server, 'purge-cache', {uriPrefix: 'http://dvb.gw/'}), {
		...{state: 'done', result: {objects: 14}},
	});
	t.like(await command(member, server, 'set-log-level', {level: 'debug', forMs: 1000}), {
		...{state: 'done', result: {role: true}},
	});
	t.like(await command(member, server, 'restart-service', {service: 'nothing'}), {
		...{state: 'failed', error: {code: 'OTA_MEMBER_NO_SERVICE'}},
	});
	t.like(await command(member, server, 'identify', {seconds: 1}), {state: 'done'});
	t.like(await command(member, server, 'reload-config', {}), {state: 'done', result: {restarted: false}});

	await member.setup.broker.kill();
	await eventually('not connected', async () => (await box.status()).fleet?.connected === false);
	const pid = await box.rolePid();
	t.true(isProcessAlive(pid), 'the role does not care');
	process.kill(pid, 'SIGKILL');
	await eventually('a new role', async () => (await box.rolePid()) !== pid);
	await member.setup.broker.start();
	const crash = await eventually('the crash', () => server.events.find(({event}) => event.kind === 'service'));
	t.like(crash.event, {data: {service: 'stb', state: 'crashed', detail: 'it ended by SIGKILL'}});
});
