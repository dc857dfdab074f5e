import test from 'ava';
import {eventually} from '#test/helper/eventually.ts';
import {testImage} from '#test/helper/with-image.ts';
import {bootTimeoutMs, withMachine, withMachineFleet} from '#test/helper/with-machine.ts';
import {withMachineShell} from '#test/helper/with-machine-shell.ts';
import {claimOf} from '#test/helper/with-slot-box.ts';

const testTimeoutMs = 30 * 60_000;
const requestTimeoutMs = 10_000;
/** Of the card that QEMU gives a machine; a box that nobody named has its name of it. */
const id = 'stb-525400000001';

test('a box that is claimed on its page joins its fleet, and obeys it without another start', async (t) => {
	t.timeout(testTimeoutMs);
	const image = await testImage({release: '1.0.0'});
	const fleet = await withMachineFleet(t);
	const machine = await withMachine(t, {fleet, id, image, plant: () => Promise.resolve()});
	const ask = async (path: string, init: RequestInit = {}): Promise<Response> =>
		await fetch(`${machine.commissionUrl}api/${path}`, {...init, signal: AbortSignal.timeout(requestTimeoutMs)});
	await eventually('the page', async () => (await ask('state')).status === 200, {
		timeoutMs: bootTimeoutMs,
		intervalMs: 500,
	}).catch((cause: unknown) => {
		throw new Error(`no page:\n${machine.lines().slice(-40).join('\n')}`, {cause});
	});
	const brought = await ask('claim', {
		method: 'POST',
		headers: {'content-type': 'application/json', origin: new URL(machine.commissionUrl).origin},
		body: JSON.stringify({claim: await claimOf(fleet, id)}),
	});
	t.true(brought.ok, `${brought.status} ${await brought.text()}`);
	await machine.until('it is online', ({presence}) => presence === 'online');
	const isAnchored = () => machine.lines().some((line) => line.includes('Finished streamverse-anchor.service'));
	await eventually('whose the box is has been kept', isAnchored, {timeoutMs: bootTimeoutMs, intervalMs: 500});
	const root = await withMachineShell(t, {fleet, machine, elevated: true});
	t.regex(
		await root.run('id -u; cat /var/lib/streamverse-trust/anchor.json'),
		new RegExp(`^0\\n.*"deviceId":"${id}"`, 'mu'),
	);
	await root.leave();
});
