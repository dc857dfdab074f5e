import {createSocket} from 'node:dgram';
import {once} from 'node:events';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {silentLogger} from '#appliance/log/logger.ts';
import {headendConfigSchema} from '#headend/config-schema.ts';
import {openOutput} from '#headend/uplink/open-output.ts';
import {Transmission} from '#headend/uplink/transmission.ts';
import {openLinkDecoder} from '#native/link/link.ts';
import {openReceiver} from '#native/modem/receiver.ts';
import {projectRoot} from '#native/project-root.ts';
import {eventually} from '#test/helper/eventually.ts';
import {freeUdpPort} from '#test/helper/free-udp-port.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

/** As SoapySDR finds native/modem/test/soapy_recorder.cpp, which takes samples at their rate and keeps them. */
process.env['SOAPY_SDR_PLUGIN_PATH'] = path.join(projectRoot, 'native/build/soapy');

const group = '239.255.77.1';
/** Of a normal FECFRAME of QPSK 1/2, idle or not. */
const frameBytes = 4026;
const received = {samplesPerSymbol: 2, rollOff: 0.2, format: 'integer'} as const;

const outputOf = async (samples: object) => {
	const config = headendConfigSchema.parse({
		network: {
			linkLayerFormat: 'GSE-Lite',
			satellite: {symbolRateKsps: 200, modulation: 'QPSK', codeRate: '1/2', rollOff: '0.20'},
		},
		uplink: {
			group,
			port: await freeUdpPort(),
			announcement: {group: '239.254.77.1', port: await freeUdpPort()},
			output: {form: 'iq', samples},
		},
	});
	let failures = 0;
	const output = openOutput({
		transmission: new Transmission(config),
		logger: silentLogger(),
		onFailed: () => {
			failures += 1;
		},
	});
	return {output, config, failures: () => failures};
};

const leavesAs = test.macro<[(file: string) => object]>(async (t, samplesOf) => {
	const file = path.join(await withDirectory(t), 'iq.cs16');
	const {output, config, failures} = await outputOf(samplesOf(file));
	const payloads = Array.from({length: 40}, (_, index) => Buffer.alloc(1000, index));
	await send(t, {payloads, port: config.uplink.port + config.uplink.portOffset});
	await eventually('all were carried', () => (output.stats()?.datagrams ?? 0) >= payloads.length);
	// Two frames of 32,400 symbols and what the modulator holds of them are on their way; eight more have followed them then.
	const carried = (): number => output.stats()?.carrierBytes ?? 0;
	const enoughBytes = carried() + 8 * frameBytes;
	await eventually('the last of them have left', () => carried() >= enoughBytes);
	t.like(output.stats(), {droppedDatagrams: 0, lostBytes: 0});
	await output[Symbol.asyncDispose]();
	t.is(failures(), 0);
	const text = Buffer.concat(await datagramsOf(file)).toString('latin1');
	t.true(
		payloads.every((payload) => text.includes(payload.toString('latin1'))),
		'each datagram is in the signal',
	);
});

test.serial('the signal goes to a file', leavesAs, (path: string) => ({kind: 'file', path}));
test.serial('the signal goes to a transmitter of SoapySDR', leavesAs, (file: string) => ({
	...{kind: 'soapy', device: `driver=recorder,record=${file}`},
	frequencyKhz: 1_200_000,
}));

test.serial('a transmitter that takes no more ends the role', async (t) => {
	const file = path.join(await withDirectory(t), 'iq');
	const device = `driver=recorder,record=${file},broken=true`;
	const {output, failures} = await outputOf({kind: 'soapy', device, frequencyKhz: 1_200_000});
	await eventually('the role was told', () => failures() > 0);
	await output[Symbol.asyncDispose]();
	t.is(failures(), 1, 'once');
});

test.serial('a transmitter that is not there is told when it is opened', async (t) => {
	const file = path.join(await withDirectory(t), 'absent/iq');
	const {output, failures} = await outputOf({kind: 'soapy', device: `driver=recorder,record=${file}`});
	await eventually('the role was told', () => failures() > 0);
	await output[Symbol.asyncDispose]();
	t.is(failures(), 1);
});

const send = async (
	t: ExecutionContext,
	{payloads, port}: {readonly payloads: readonly Buffer[]; readonly port: number},
): Promise<void> => {
	const sender = createSocket('udp4');
	t.teardown(() => sender.close());
	sender.bind(0, '127.0.0.1');
	await once(sender, 'listening');
	sender.setMulticastInterface('127.0.0.1');
	for (const payload of payloads) {
		sender.send(payload, port, group);
		await delay(50);
	}
};

const datagramsOf = async (file: string): Promise<readonly Buffer[]> => {
	const receiver = openReceiver(received);
	const frames = [...(await receiver.write(await readFile(file))), ...(await receiver.finish())];
	const decoder = openLinkDecoder({input: 'stream'});
	return frames.flatMap(({bytes}) => (bytes === undefined ? [] : [decoder.write(bytes).datagrams.bytes]));
};
