import {text} from 'node:stream/consumers';
import {gunzipSync} from 'node:zlib';
import test, {type ExecutionContext} from 'ava';
import {extract} from 'tar-stream';
import {sleep} from '#appliance/time/sleep.ts';
import {finalCommandStates} from '#ota/contract/command-api.ts';
import {eventually} from '#test/helper/eventually.ts';
import type {TestFleet} from '#test/helper/with-fleet.ts';
import {testImage} from '#test/helper/with-image.ts';
import {bootTimeoutMs, type TestMachine, withMachine, withMachineFleet} from '#test/helper/with-machine.ts';
import {answerTimeoutMs, type Shell, withMachineShell} from '#test/helper/with-machine-shell.ts';

const testTimeoutMs = 40 * 60_000;
const exposureMax = 3;
/** The most that a bundle may have. It ends when its collectors have, and on a busy host that is late. */
const bundleMs = 10 * 60_000;

/** Asks the fleet for a bundle or a capture, and fetches what the box sends. */
const fetchItem = async (fleet: TestFleet, {id}: TestMachine, request: unknown): Promise<Buffer> => {
	const asked = await fleet.call(`POST /boxes/${id}/diagnostics`, request);
	const item = await eventually(
		JSON.stringify(request),
		async () => {
			const {items} = (await fleet.call(`GET /diagnostics?box=${id}`)).body;
			const one = items.find((each: {readonly id: string}) => each.id === asked.body.id);
			return ['ready', 'failed'].includes(one?.state) ? one : undefined;
		},
		{timeoutMs: bundleMs + answerTimeoutMs, intervalMs: 500},
	);
	if (item.state === 'failed') {
		throw new Error(`the box could not: ${JSON.stringify(item.error)}`);
	}
	const answer = await fetch(`${fleet.url}/api/v1/diagnostics/${asked.body.id}/content`, {
		headers: {Authorization: `Bearer ${fleet.token}`},
	});
	return Buffer.from(await answer.arrayBuffer());
};

/** Orders a command, and answers what it came to. */
const answerTo = async (fleet: TestFleet, {id}: TestMachine, command: object): Promise<unknown> => {
	const given = await fleet.call(`POST /boxes/${id}/commands`, {timeoutMs: answerTimeoutMs, ...command});
	const {state, result, error} = await eventually(
		JSON.stringify(command),
		async () => {
			const {body} = await fleet.call(`GET /commands/${given.body.id}`);
			return finalCommandStates.includes(body.state) && body;
		},
		// An answer that never comes is given up by the fleet, and then it says so.
		{timeoutMs: 2 * answerTimeoutMs, intervalMs: 500},
	);
	if (state !== 'done') {
		throw new Error(`the box could not: ${state} ${JSON.stringify(error)}`);
	}
	return result;
};

/** Asks for the role's page again and again. */
const visit = async (url: string, signal: AbortSignal): Promise<void> => {
	while (!signal.aborted) {
		await fetch(url, {signal}).then(
			async (answer) => await answer.text(),
			() => undefined,
		);
		await sleep(200, {signal}).catch(() => undefined);
	}
};

const filesOf = async (archive: Buffer): Promise<ReadonlyMap<string, string>> => {
	const files = new Map<string, string>();
	const tar = extract();
	tar.end(gunzipSync(archive));
	for await (const entry of tar) {
		files.set(entry.header.name, await text(entry));
	}
	return files;
};

test('a NOC looks into a machine whose supervisor may do nothing of it by itself', async (t) => {
	t.timeout(testTimeoutMs);
	const image = await testImage({release: '1.0.0'});
	const fleet = await withMachineFleet(t);
	const machine = await withMachine(t, {fleet, image, id: 'stb-diagnosed'});
	const isHealthy = async () =>
		await machine.until('it is online and healthy', ({presence, reported}) => {
			return presence === 'online' && reported?.healthy === true;
		});
	await isHealthy();

	const shell = await withMachineShell(t, {fleet, machine, elevated: false});
	const who = await shell.run('id; grep -E "NoNewPrivs|CapBnd" /proc/self/status; stty size');
	t.regex(who, /uid=\d+\(streamverse-shell\) gid=\d+\(streamverse-shell\) groups=\d+\(streamverse-shell\)\n/u);
	t.regex(who, /NoNewPrivs:\t1\n/u);
	t.regex(who, /CapBnd:\t0+\n/u);
	t.regex(who, /50 200\n/u);
	const sockets = ['capture', 'kernel-log', 'elevate', 'role'].map((name) => `/run/streamverse/${name}.socket`);
	const reach = `for name in ${sockets.join(' ')}; do [ -w $name ] && echo "reaches $name"; done; echo looked`;
	t.notRegex(await shell.run(reach), /reaches \/run/u);
	await shell.leave();

	const root = await withMachineShell(t, {fleet, machine, elevated: true});
	t.regex(await root.run('id -u; touch /data/by-root && echo written'), /^0\nwritten\n/mu);
	t.log(await root.run('ps -eo user:20,rss,args | grep -E "[s]treamverse/|[s]ystemd-|[p]olkit"'));
	await limitsHold(t, {root, reach});
	await crashesAreTheRoles(t, {root, fleet, machine, isHealthy});
	await exposuresHold(t, root);
	await root.leave();

	t.deepEqual(await answerTo(fleet, machine, {name: 'identify', arguments: {seconds: 1}}), {
		led: null,
		message: 'This box has no light that it could blink.',
	});
	const watched = new AbortController();
	void visit(machine.url, watched.signal);
	const capture = await fetchItem(fleet, machine, {
		...{kind: 'capture', interface: 'any', filter: 'tcp port 80', seconds: 20},
	});
	watched.abort();
	t.is(capture.readUInt32LE(0), 0xa1b2c3d4);
	t.true(capture.includes('GET / HTTP/1.1'), 'what a player in the home asked for meanwhile');
	const wrong = fetchItem(fleet, machine, {kind: 'capture', interface: 'nowhere0', seconds: 1});
	await t.throwsAsync(wrong, {message: /the box could not: .*nowhere0/u});

	const files = await filesOf(await fetchItem(fleet, machine, {kind: 'bundle', deadlineMs: bundleMs}));
	t.regex(files.get('system/dmesg.txt') ?? '', /Linux version 6\./u, files.get('manifest.json'));
	t.regex(files.get('crash/reports.txt') ?? '', /\/var\/lib\/systemd\/coredump\/core\.[^\n]*\.zst\n/u);
	t.regex(files.get('crash/core-dumps.txt') ?? '', /Signal: 11 \(SEGV\)/u);
	t.regex(files.get('system/processes.txt') ?? '', /streamverse-role /u, 'processes of others, too');
});

/** What one process may not do to another, and what others may not ask for. */
const limitsHold = async (
	t: ExecutionContext,
	{root, reach}: {readonly root: Shell; readonly reach: string},
): Promise<void> => {
	const as = (user: string, command: string): string =>
		`setpriv --reuid ${user} --regid ${user} --init-groups --no-new-privs --bounding-set=-all sh -c '${command}'`;
	t.notRegex(await root.run(as('streamverse-role', reach)), /reaches \/run/u, 'a role asks for nothing');
	const looked = 'ls /var/lib/streamverse /var/lib/streamverse-elevate; cat /run/streamverse-role/box.yaml';
	const seen = await root.run(as('streamverse-role', looked));
	t.is(seen.match(/Permission denied/gu)?.length, 2, seen);
	t.regex(seen, /kind: stb/u);
	const start = 'systemctl --no-ask-password start streamverse-root-shell@77.service';
	for (const user of ['streamverse', 'streamverse-role', 'streamverse-shell']) {
		t.regex(await root.run(as(user, start)), /authentication|denied|authorized/iu, `${user} starts no root shell`);
	}
};

const supervisorPid = 'systemctl show --property MainPID --value streamverse.service';
const rolePid = `systemctl show --property MainPID --value 'streamverse-role@*'`;
const roleUnit = `$(systemctl list-units --plain --no-legend 'streamverse-role@*' | cut --delimiter ' ' --fields 1)`;

/** A role that breaks, or takes more than it may, is started anew; the supervisor runs on, and tells the fleet why. */
const crashesAreTheRoles = async (
	t: ExecutionContext,
	options: {
		readonly root: Shell;
		readonly fleet: TestFleet;
		readonly machine: TestMachine;
		readonly isHealthy: () => Promise<unknown>;
	},
): Promise<void> => {
	const {root, fleet, machine, isHealthy} = options;
	const pidOf = async (command: string) => /pid=(\d+)/u.exec(await root.run(`echo pid=$(${command})`))?.[1] ?? '0';
	const supervisor = await pidOf(supervisorPid);
	const crash = async (how: string, why: RegExp): Promise<void> => {
		const role = await pidOf(rolePid);
		await root.run(how);
		const another = async () => !['0', role].includes(await pidOf(rolePid));
		await eventually('another role', another, {timeoutMs: bootTimeoutMs, intervalMs: 1000});
		await isHealthy();
		let events = '';
		const told = async () => {
			events = JSON.stringify((await fleet.call(`GET /boxes/${machine.id}/events`)).body);
			return why.test(events);
		};
		await eventually('the fleet is told', told, {timeoutMs: answerTimeoutMs, intervalMs: 500}).catch(
			(cause: unknown) => {
				throw new Error(`the fleet is not told ${why.source}: ${events}`, {cause});
			},
		);
	};
	// An emulated machine writes a dump for longer than the supervisor waits for a sign of life.
	await crash(`kill -SEGV $(${rolePid})`, /ended by SIGSEGV|gave no sign of life/u);
	t.log(await root.run('coredumpctl --no-pager list; ls -l /var/lib/systemd/coredump; df -h /data'));
	await crash(`systemctl set-property --runtime ${roleUnit} MemoryMax=32M`, /\(oom-kill\)/u);
	t.is(await pidOf(supervisorPid), supervisor, 'the supervisor ran on');
};

/** As systemd on the box itself sees the units that run. */
const exposuresHold = async (t: ExecutionContext, root: Shell): Promise<void> => {
	const table = await root.run('systemd-analyze security --no-pager | cat');
	const exposures = [...table.matchAll(/^(streamverse\S*\.service)\s+([\d.]+)\s/gmu)].map(([, unit, figure]) => ({
		unit,
		figure,
	}));
	t.log(exposures.map(({unit, figure}) => `${unit} ${figure}`).join('\n'));
	t.true(exposures.some(({unit}) => unit?.startsWith('streamverse-role@')));
	t.true(exposures.some(({unit}) => unit === 'streamverse.service'));
	t.deepEqual(
		exposures.filter(
			({unit, figure}) => Number(figure) >= exposureMax && unit?.startsWith('streamverse-root-shell@') !== true,
		),
		[],
	);
};
