import test from 'ava';
import {headendStatusSchema} from '#appliance/contract/headend-status-schema.ts';
import {headendConfigSchema} from '#headend/config-schema.ts';
import {carriedLink} from '#headend/uplink/link-format.ts';
import {Transmission} from '#headend/uplink/transmission.ts';
import {openDecapsulator, openLinkEncoder} from '#native/link/link.ts';
import {eventually} from '#test/helper/eventually.ts';
import {freeUdpPort} from '#test/helper/free-udp-port.ts';
import {withHeadend} from '#test/helper/with-headend.ts';
import {ipv4Datagram} from '#test/helper/write-capture.ts';

const destination = {group: '127.0.0.1', port: 5004};

for (const form of ['mpe', 'gse'] as const) {
	test(`what the budget leaves for IP with ${form} is what the encapsulator can carry`, (t) => {
		const config = headendConfigSchema.parse({
			network: {linkLayerFormat: form === 'gse' ? 'GSE-Lite' : 'TS'},
			uplink: {output: {form, destination}},
		});
		const {link} = new Transmission(config).plan;
		const {satellite} = config.network;
		const {output} = config.uplink;
		if (link === undefined || satellite === null || output.form === 'ip') {
			return t.fail();
		}
		const {format, rate} = carriedLink(config, {satellite, modcod: link.modcod, output});
		const encoder = openLinkEncoder({format, rate, queueBytesMax: 2 ** 20});
		const datagram = ipv4Datagram({group: '239.1.1.1', port: 5000, payload: Buffer.alloc(1420)});
		const pull = (): Buffer => {
			let pushed = true;
			while (pushed && encoder.stats().queuedBytes < 500_000) {
				pushed = encoder.push(datagram);
			}
			return encoder.pull(form === 'gse' ? 10 : 300);
		};
		let pulledBytes = 0;
		while (pulledBytes < 30_000_000) {
			pulledBytes += pull().length;
		}
		const {ipBytes, carrierBytes} = encoder.stats();
		const carriedBps = (ipBytes / carrierBytes) * (rate.bits / rate.seconds);
		const ratio = link.budget.ipRateBps / carriedBps;
		// The rest is kept for short datagrams, and never given away.
		t.true(ratio > 0.99 && ratio < 1, `${link.budget.ipRateBps} of ${carriedBps}`);
	});
}

test('another MODCOD is transmitted by a headend that goes on', async (t) => {
	const port = await freeUdpPort();
	const satellite = {symbolRateKsps: 4000};
	const {url, reconfigure} = await withHeadend(t, {
		sections: {
			uplink: {rateBps: undefined, output: {form: 'mpe', destination: {...destination, port}}},
			network: {satellite},
		},
	});
	const decapsulator = openDecapsulator({input: {kind: 'udp', group: destination.group, port}});
	t.teardown(() => decapsulator.close());
	const delivery = () => decapsulator.contents().transports[0]?.delivery;
	const status = async () => headendStatusSchema.parse(await (await fetch(`${url}/status`)).json());
	// The NIT tells the MODCOD, the PAT, which may come after it, the services.
	await eventually('the first', () => {
		const [transport] = decapsulator.contents().transports;
		return transport?.delivery?.codeRate === '3/4' && transport.services.length > 0;
	});
	t.like(decapsulator.contents().transports[0], {transportStreamId: 1001, networkId: 1, services: [{serviceId: 5001}]});
	t.true(await reconfigure({network: {satellite: {...satellite, modulation: 'QPSK', codeRate: '1/2'}}}));
	await eventually('the second', () => delivery()?.codeRate === '1/2');
	t.is(delivery()?.modulation, 'qpsk');
	await eventually('datagrams go on', async () => ((await status()).link?.output?.datagrams ?? 0) > 100);
	const damage = Object.entries(decapsulator.stats().damage).filter(([, count]) => count > 0);
	t.deepEqual(
		damage.map(([kind]) => kind).filter((kind) => !['rtp-gap', 'discontinuity', 'section-cut'].includes(kind)),
		[],
		'a cut is all that receivers notice',
	);
});
