import test from 'ava';
import {withMachine, withMachineFleet} from '#test/helper/with-machine.ts';
import {vidtvImage} from '#test/helper/with-vidtv.ts';

const testTimeoutMs = 45 * 60_000;

test('the kernel of a test image has a DVB adapter, which the role may open', async (t) => {
	t.timeout(testTimeoutMs);
	const image = await vidtvImage({release: '1.0.0'});
	const fleet = await withMachineFleet(t);
	const machine = await withMachine(t, {fleet, image, id: 'stb-vidtv'});
	await machine.until('the box is online', ({presence}) => presence === 'online');
	const devices = machine.lines().flatMap((line) => /DVB device (\w+)/u.exec(line)?.[1] ?? []);
	t.deepEqual(devices, ['frontend0', 'demux0', 'dvr0']);
});
