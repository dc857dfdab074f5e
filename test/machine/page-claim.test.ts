import test from 'ava';
import {commissionStateSchema} from '#appliance/commission/commission-schema.ts';
import {eventually} from '#test/helper/eventually.ts';
import {testImage} from '#test/helper/with-image.ts';
import {bootTimeoutMs, withMachine, withMachineFleet} from '#test/helper/with-machine.ts';
import {withMachineShell} from '#test/helper/with-machine-shell.ts';
import {claimOf} from '#test/helper/with-slot-box.ts';

const testTimeoutMs = 30 * 60_000;
const requestTimeoutMs = 10_000;
/** Of the card that QEMU gives a machine; a box that nobody named has its name of it. */
const id = 'stb-525400000001';

test('a box that is claimed on its page joins its fleet, and obeys it without another start, until it is reset there', async (t) => {
	t.timeout(testTimeoutMs);
	const image = await testImage({release: '1.0.0'});
	const fleet = await withMachineFleet(t);
	const machine = await withMachine(t, {fleet, id, image, plant: () => Promise.resolve()});
	const ask = async (path: string, init: RequestInit = {}, timeoutMs = requestTimeoutMs): Promise<Response> =>
		await fetch(`${machine.commissionUrl}api/${path}`, {...init, signal: AbortSignal.timeout(timeoutMs)});
	await eventually('the page', async () => (await ask('state')).status === 200, {
		timeoutMs: bootTimeoutMs,
		intervalMs: 500,
	}).catch((cause: unknown) => {
		throw new Error(`no page:\n${machine.lines().slice(-40).join('\n')}`, {cause});
	});
	const claim = {
		method: 'POST',
		headers: {'content-type': 'application/json', origin: new URL(machine.commissionUrl).origin},
		body: JSON.stringify({claim: await claimOf(fleet, id)}),
	};
	// Asked once only, of a machine that may still be starting.
	const brought = await ask('claim', claim, bootTimeoutMs);
	t.true(brought.ok, `${brought.status} ${await brought.text()}`);
	// Only a box that reports itself answers a terminal; it is online before.
	await machine.until('it is online and healthy', ({presence, reported}) => {
		return presence === 'online' && reported?.healthy === true;
	});
	// systemd tells on the console what it does while it boots, and no longer.
	const shell = await withMachineShell(t, {fleet, machine, elevated: false});
	const isAnchored = async () =>
		/exited=[1-9]/u.test(
			await shell.run('echo exited=$(systemctl show -P ExecMainExitTimestampMonotonic streamverse-anchor.service)'),
		);
	await eventually('whose the box is has been kept', isAnchored, {timeoutMs: bootTimeoutMs, intervalMs: 2000});
	await shell.leave();
	const root = await withMachineShell(t, {fleet, machine, elevated: true});
	t.regex(
		await root.run('echo uid=$(id -u); cat /var/lib/streamverse-trust/anchor.json'),
		new RegExp(`uid=0\\s[\\s\\S]*"deviceId":"${id}"`, 'u'),
	);
	await root.leave();
	// The newest of what the console has shown.
	const shown = machine.lines().flatMap((line) => /page: code (\w{4}-\w{4})/u.exec(line)?.[1] ?? []);
	const reset = {...claim, body: JSON.stringify({boxId: id, code: shown.at(-1)})};
	// The box goes at once, maybe before its answer is here.
	const asked = await ask('factory-reset', reset, bootTimeoutMs).catch(() => undefined);
	t.true(asked?.ok ?? true, `${asked?.status}`);
	const isNobodys = async () => {
		const {box, codeNeeded, fleet: membership} = commissionStateSchema.parse(await (await ask('state')).json());
		return box.id === id && !codeNeeded && membership?.enrolled !== true;
	};
	const reborn = eventually('the box is nobody’s', isNobodys, {timeoutMs: bootTimeoutMs, intervalMs: 2000});
	await machine.whileItRuns(reborn).catch((cause: unknown) => {
		throw new Error(`no reset:\n${machine.lines().slice(-40).join('\n')}`, {cause});
	});
	const slots = machine.lines().flatMap((line) => /boot slot (\w),/u.exec(line)?.[1] ?? []);
	t.deepEqual(new Set(slots), new Set(['A']));
});
