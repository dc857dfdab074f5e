import {randomBytes, randomInt} from 'node:crypto';
import test, {type ExecutionContext} from 'ava';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {type StbStatus, type StbTuner, stbStatusSchema} from '#appliance/contract/stb-status-schema.ts';
import {createLogger} from '#appliance/log/logger.ts';
import {type Encapsulator, openEncapsulator} from '#native/link/link.ts';
import {stbConfigSchema} from '#stb/config-schema.ts';
import {startStb} from '#stb/start.ts';
import {carriageOf, statusOf} from '#stb/tuner/start-tuner.ts';
import {tunerConfigSchema} from '#stb/tuner/tuner-config.ts';
import {eventually} from '#test/helper/eventually.ts';
import {freeUdpPort} from '#test/helper/free-udp-port.ts';
import {type Satellite, withSatellite} from '#test/helper/with-satellite.ts';

const carrier = {frequencyKhz: 11_727_500, polarization: 'vertical', symbolRate: 27_500_000} as const;
const loopback = '127.0.0.1';
const randomGroup = (): string => `239.${randomInt(1, 250)}.${randomInt(1, 250)}.${randomInt(1, 250)}`;

type Transponder = {
	readonly satellite: Satellite;
	readonly light: () => void;
	readonly darken: () => Promise<void>;
	readonly status: () => Promise<StbStatus & {readonly tuner: StbTuner}>;
	/** What the set-top has logged. */
	readonly log: () => string;
};

/** A headend whose multicast goes into a transport stream, and a set-top that has a tuner on it and no other way. */
const withTransponder = async (t: ExecutionContext, tuner: object = {}): Promise<Transponder> => {
	const [group, announcementGroup] = [randomGroup(), randomGroup()];
	const [port, announcementPort] = [randomInt(20_000, 25_000), randomInt(25_000, 30_000)];
	const announcement = {group: announcementGroup, port: announcementPort};
	const uplink = {group, port, announcement, rateBps: 8_000_000, interfaceAddress: loopback, fec: {encodingId: 0}};
	const satellite = await withSatellite(t, {model: {seed: 1}, stb: false, popNode: false, headend: {uplink}});
	const feedPort = await freeUdpPort();
	const inputs = [{group, port}, announcement].map((endpoint) => ({
		...{...endpoint, interfaceAddress: loopback, source: loopback},
	}));
	let encapsulator: Encapsulator | undefined;
	const darken = async (): Promise<void> => {
		await encapsulator?.close();
		encapsulator = undefined;
	};
	t.teardown(darken);
	const service = {serviceId: 5001, name: 'NIP', provider: 'Edge', pmtPid: 256, pid: 4097};
	const transport = {
		...{transportStreamId: 1001, originalNetworkId: 9, networkId: 7},
		networkName: 'n',
		services: [service],
	};
	const lines: string[] = [];
	const stb = await startStb({
		box: {id: deviceIdSchema.parse('stb-tuner'), kind: 'stb', stateDirectory: `${satellite.stateDirectory}/stb`},
		config: stbConfigSchema.parse({
			...satellite.stbSection,
			receive: {announcement, objectIdleMs: 2000},
			serve: {listen: {host: loopback, port: 0}, dataPlane: 'node'},
			tuner: {
				source: {kind: 'udp', format: 'ts', group: loopback, port: feedPort},
				carriers: [carrier],
				...{statisticsIntervalMs: 50, lossPatienceMs: 100, ...tuner},
			},
		}),
		logger: createLogger({name: 'stb', level: 'info'}, {write: (line) => void lines.push(line)}),
		signal: new AbortController().signal,
	});
	t.teardown(() => stb[Symbol.asyncDispose]());
	return {
		satellite,
		light: () => {
			encapsulator = openEncapsulator({
				...{format: {kind: 'mpe', transport}, rate: {bits: 10_000_000, seconds: 1}, inputs},
				output: {kind: 'udp', group: loopback, port: feedPort},
			});
		},
		darken,
		log: () => lines.join(''),
		status: async () => {
			const status = stbStatusSchema.parse(await (await fetch(`${stb.endpoints['http']}/box/status`)).json());
			return {...status, tuner: status.tuner ?? t.fail('there is no tuner')};
		},
	};
};

test('objects come out of a transport stream, and a loss and its end are seen', async (t) => {
	const {satellite, light, darken, status} = await withTransponder(t, {serviceIds: [5001]});
	t.like(await status(), {tuner: {locked: false, work: {phase: 'searching', carrier, losses: 0}}});
	light();
	const phase = (wanted: string): Promise<StbTuner> =>
		eventually(`the tuner is ${wanted}`, async () => {
			const {tuner} = await status();
			return tuner.work?.phase === wanted && tuner;
		});
	t.like(await phase('acquiring'), {locked: true, work: {sectionErrors: 0, overruns: 0}});
	const bytes = randomBytes(300_000);
	await satellite.put('vod/film/s1.m4s', bytes);
	await eventually('the object is stored', async () => (await status()).objects.received > 0, {timeoutMs: 60_000});
	t.like((await status()).tuned, {announced: true});
	// A machine that was given no time may have lost the carrier before, for a moment.
	const lossesBefore = (await phase('acquiring')).work?.losses ?? 0;
	await darken();
	const lost = await phase('lost');
	t.false(lost.locked);
	t.true((lost.work?.losses ?? 0) > lossesBefore);
	light();
	t.true((await phase('acquiring')).locked);
	const before = (await status()).objects.received;
	await satellite.put('vod/film/s2.m4s', randomBytes(300_000));
	await eventually('the next object is stored', async () => (await status()).objects.received > before, {
		timeoutMs: 60_000,
	});
});

test('of a service that is not wanted nothing is taken', async (t) => {
	const {light, status, log} = await withTransponder(t, {serviceIds: [5002], announceTimeoutMs: 300});
	light();
	await eventually('the carrier was found silent', async () => (await status()).tuner.work?.phase === 'announcing');
	// Where it shines it is found again at once: nobody who only asks for the phase can count on seeing it searched for.
	await eventually('it is tried again', () => /"from":"announcing","to":"searching"/u.test(log()));
	t.is((await status()).receive.packets, 0);
});

test('the receiver joins where the datagrams come out', (t) => {
	const config = tunerConfigSchema.parse({});
	t.deepEqual(carriageOf(config), {interfaceAddress: '127.0.0.1', source: '127.0.0.77'});
	const kernel = tunerConfigSchema.parse({source: {kind: 'kernel', adapter: 2}, carriage: {kind: 'kernel', pid: 257}});
	t.deepEqual(carriageOf(kernel), {interfaceAddress: 'dvb2_0'});
});

test('what is not known is not told', (t) => {
	const counts = {sectionErrors: 0, sectionErrorsPerMinute: 0, overruns: 0, droppedBytes: 0, losses: 0};
	const figures = {name: 'adapter0/frontend0', signal: {locked: false}, ...counts};
	t.deepEqual(statusOf({...figures, state: {kind: 'absent', carriers: []}}), {
		...{name: 'adapter0/frontend0', locked: false},
		work: {phase: 'absent', ...counts},
	});
});
