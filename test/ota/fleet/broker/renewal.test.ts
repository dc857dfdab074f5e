import {once} from 'node:events';
import {connect} from 'node:tls';
import test from 'ava';
import {eventually} from '#test/helper/eventually.ts';
import {askDevices, turnableClock, withAuthority, withDeviceServer} from '#test/helper/with-authority.ts';
import {connectMqtt, withFleetBroker} from '#test/helper/with-fleet-broker.ts';

const dayMs = 86_400_000;

const serialShown = async (port: number): Promise<string> => {
	const socket = connect({port, host: '127.0.0.1', rejectUnauthorized: false});
	socket.on('error', () => undefined);
	await once(socket, 'secureConnect');
	const {serialNumber} = socket.getPeerCertificate();
	socket.destroy();
	return serialNumber;
};

test('listener and broker show a new certificate at two thirds of the life of the old one, and keep their connections', async (t) => {
	const clock = turnableClock();
	clock.advance(-61 * dayMs);
	const fixture = await withAuthority(t, {clock});
	const {port, url} = await withDeviceServer(t, fixture, {renewalCheckMs: 50});
	const broker = await withFleetBroker(t, fixture);
	const brokerPort = Number(new URL(broker.serverUrl).port);
	const client = await connectMqtt(t, broker.serverUrl, {
		caPem: fixture.trust.authority.caPem,
		box: {
			keyPem: broker.serverCredentials?.keyPem ?? '',
			certificatePem: broker.serverCredentials?.certificatePem ?? '',
		},
	});
	const before = [await serialShown(port), await serialShown(brokerPort)];
	t.deepEqual([await serialShown(port), await serialShown(brokerPort)], before);
	clock.advance(61 * dayMs);
	await eventually('the listener shows a new certificate', async () => (await serialShown(port)) !== before[0]);
	await eventually('the broker shows a new certificate', async () => (await serialShown(brokerPort)) !== before[1]);
	t.true(client.connected);
	t.is((await askDevices(fixture, `${url}/.well-known/est/cacerts`)).status, 200);
});
