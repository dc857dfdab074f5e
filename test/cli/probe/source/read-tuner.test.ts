import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {Analysis} from '#cli/probe/analysis.ts';
import {readTuner} from '#cli/probe/source/read-tuner.ts';
import {openTuner} from '#native/dvb/dvb.ts';
import {universalLnb} from '#native/dvb/tuner.ts';
import {openLinkEncoder} from '#native/link/link.ts';
import {captured, fdtPackets, sampleFdt, symbolPackets} from '#test/helper/sample-flute.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {ipv4Datagram} from '#test/helper/write-capture.ts';

const bitrateBps = 2_000_000;
const film = {toi: 7, uri: 'http://dvb.gw/streamverse/film.m4s', bytes: Buffer.alloc(20_050, 'film')};
const carrier = {
	tuning: {system: 'DVB-S2', frequencyKhz: 11_727_500, polarization: 'vertical', symbolRate: 27_500_000},
	antenna: {lnb: universalLnb},
} as const;

/** A tuner that plays one transmission of an object again and again, so quickly that a round takes 30 ms. */
const withTuner = async (t: ExecutionContext) => {
	const transport = {
		...{transportStreamId: 1001, originalNetworkId: 1, networkId: 7, networkName: 'Test'},
		services: [{serviceId: 5001, name: 'NIP', provider: 'Us', pmtPid: 501, pid: 500}],
	};
	const encoder = openLinkEncoder({format: {kind: 'mpe', transport}, rate: {bits: bitrateBps, seconds: 1}});
	const fdt = fdtPackets(1, 3, sampleFdt([film], Date.now() + 3_600_000));
	for (const each of captured([...fdt, ...symbolPackets(1, film.toi, film.bytes)], {startMs: Date.now()})) {
		t.true(encoder.push(ipv4Datagram(each)));
	}
	const path = join(await withDirectory(t), 'carrier.ts');
	await writeFile(path, encoder.pull(400));
	const tuner = openTuner({kind: 'file', format: 'ts', path, bitrateBps: 10 * bitrateBps, repeat: true});
	t.teardown(() => tuner.close());
	return tuner;
};

test('what a tuner brings is analysed for as long as it was asked to', async (t) => {
	const analysis = new Analysis();
	const seen: number[] = [];
	const {bytes} = await readTuner(analysis, {
		...{tuner: await withTuner(t), ...carrier, forMs: 1500},
		signal: AbortSignal.timeout(60_000),
		onProgress: (count) => seen.push(count),
	});
	t.true(bytes > 400 * 188, `${bytes} bytes: more than one round of the recording`);
	t.is(seen.at(-1), bytes);
	t.like(analysis.carriers[0]?.contents, {carrier: 'ts', transports: [{transportStreamId: 1001, networkId: 7}]});
});

test('a tuner that does not lock is told with what it measures', async (t) => {
	const deaf = {...(await withTuner(t)), statistics: async () => ({...unlocked, levelDbm: -71.25})};
	const reading = readTuner(new Analysis(), {
		...{tuner: deaf, ...carrier, forMs: 1000, lockTimeoutMs: 100},
		signal: AbortSignal.timeout(60_000),
		onProgress: () => undefined,
	});
	await t.throwsAsync(reading, {code: 'CLI_PROBE_NO_LOCK', message: /11727\.5 MHz vertical.*level -71\.3 dBm/u});
});

const unlocked = {signal: true, carrier: false, code: false, sync: false, locked: false};
