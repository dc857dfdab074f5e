import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {type DeviceId, deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {startIdentity} from '#appliance/identity/start-identity.ts';
import {eventually} from '#test/helper/eventually.ts';
import {askDevices, withAuthority, withDeviceServer} from '#test/helper/with-authority.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {connectMqtt, withFleetBroker} from '#test/helper/with-fleet-broker.ts';

test('a box enrols by its claim file, and broker and listener know it by what it was given', async (t) => {
	const fixture = await withAuthority(t);
	const {url, port} = await withDeviceServer(t, fixture);
	const broker = await withFleetBroker(t, fixture);
	const directory = await withDirectory(t);
	const deviceId: DeviceId = deviceIdSchema.parse('real-box');
	const {file} = await fixture.claim('real-box');
	const claimFile = join(directory, 'real-box.claim.json');
	const deviceUrl = `https://localhost:${port}`;
	await writeFile(
		claimFile,
		JSON.stringify({...file, estUrl: `${deviceUrl}/.well-known/est`, deviceUrl, brokerUrl: broker.boxUrl}),
	);
	await using identity = await startIdentity({
		directory: join(directory, 'fleet'),
		claimFile,
		deviceId,
		logger: fixture.context.logger,
	});
	await eventually('the box is enrolled', () => identity.credentials() !== undefined);
	const credentials = identity.credentials();
	const box = {keyPem: credentials?.keyPem ?? '', certificatePem: credentials?.certificatePem ?? ''};
	const client = await connectMqtt(t, broker.boxUrl, {caPem: identity.claim.caPem, box}, {clientId: 'real-box'});
	await client.publishAsync('sv/1/real-box/event', 'x', {qos: 1});
	t.is((await askDevices(fixture, `${url}/.well-known/est/simplereenroll`, {box, body: 'AAAA'})).status, 400);
	const {items} = (await fixture.call('listCertificates', {parameters: {id: 'real-box'}})) as {
		items: {serial: string}[];
	};
	t.is(items[0]?.serial, credentials?.serial);
});
