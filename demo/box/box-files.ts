import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {stringify} from 'yaml';
import type {BoxKind} from '#appliance/contract/box-schema.ts';
import {announcementEndpoint} from '#appliance/contract/gateway-session.ts';
import {freeTcpPort, freeUdpPortPair} from '#demo/box/free-port.ts';
import {demoTransponder, dishAddress, type SignalOptions, signalSections} from '#demo/link/signal.ts';
import type {LinkChannel} from '#demo/link/start-link.ts';
import type {SignalForm} from '#demo/options.ts';

const host = '127.0.0.1';
const contentGroup = '239.255.1.1';
/** Small enough for two cores that also encode, decode and draw; the sample is round in about ten seconds. */
const rateBps = 20_000_000;
/** The packets take the way over the lossy link, which listens beside the port that receivers are told of. */
const portOffset = 1;
const signalPort = 5104;
export const liveChannelId = 'demo';
/** A chart of the console should show something within a minute. */
const telemetryIntervalMs = 5000;

export const deviceIdOf = (kind: BoxKind): string => `demo-${kind}`;

export type BoxPlan = {
	readonly urls: Readonly<Record<BoxKind, string>>;
	/** What the link carries. */
	readonly channels: readonly LinkChannel[];
	/** Between headend and dish; absent where plain multicast goes. */
	readonly signal: SignalOptions | undefined;
	/** What a set-top on this machine tunes to. */
	readonly receive: object;
	/** The box's YAML, as an object. */
	readonly files: Readonly<Record<BoxKind, object>>;
};

const planSignal = async (form: SignalOptions['form']): Promise<SignalOptions> => ({
	...{form, ...demoTransponder(form)},
	port: await freeUdpPortPair(signalPort),
});

/** Three boxes of one small operator on the loopback interface of this machine, on ports that are free now. */
export const planBoxes = async (options: {
	readonly stateDirectory: string;
	readonly mediaDirectory: string;
	/** By which each box enrols. */
	readonly claimFileOf: (deviceId: string) => string;
	readonly uplink: SignalForm;
}): Promise<BoxPlan> => {
	const {stateDirectory, mediaDirectory, claimFileOf, uplink} = options;
	const [headend, stb, popNode] = [await freeTcpPort(8080), await freeTcpPort(8081), await freeTcpPort(8082)];
	const supervisors = [await freeTcpPort(8090), await freeTcpPort(8091), await freeTcpPort(8092)] as const;
	const announcement = {
		group: announcementEndpoint.group,
		port: await freeUdpPortPair(announcementEndpoint.port),
		tsi: announcementEndpoint.tsi,
	};
	const contentPort = await freeUdpPortPair(5001);
	const signal = uplink === 'ip' ? undefined : await planSignal(uplink);
	const source = signal === undefined ? undefined : dishAddress;
	const urls = {
		headend: `http://${host}:${headend}`,
		stb: `http://${host}:${stb}`,
		'pop-node': `http://${host}:${popNode}`,
	};
	const box = (kind: BoxKind, supervisorPort: number, section: object): object => ({
		version: 1,
		box: {id: deviceIdOf(kind), kind, stateDirectory: join(stateDirectory, kind)},
		log: {level: 'info'},
		supervisor: {listen: {host, port: supervisorPort}},
		fleet: {claimFile: claimFileOf(deviceIdOf(kind)), model: 'demo', sampleIntervalMs: telemetryIntervalMs},
		[kind]: section,
	});
	const receive = {interfaceAddress: host, announcement};
	return {
		urls,
		receive,
		signal,
		channels: [
			{group: announcement.group, port: announcement.port, portOffset, source},
			{group: contentGroup, port: contentPort, portOffset, source},
		],
		files: {
			headend: box('headend', supervisors[0], {
				listen: {host, port: headend},
				catalogue: {directory: mediaDirectory, directoryPriority: 'high'},
				ingest: {
					channels: [
						{
							id: liveChannelId,
							name: 'StreamVerse One',
							description: 'Colour bars around the clock.',
							channelNumber: 1,
						},
					],
				},
				uplink: {
					group: contentGroup,
					port: contentPort,
					announcement,
					interfaceAddress: host,
					ttl: 1,
					portOffset,
					...(signal === undefined ? {rateBps} : {output: signalSections(signal).output}),
				},
				...(signal === undefined ? {} : {network: signalSections(signal).network}),
				repair: {baseUrls: [{url: `${urls['pop-node']}/streamverse/`}], randomBackOffMs: 200},
			}),
			stb: box('stb', supervisors[1], {
				receive,
				serve: {listen: {host, port: stb}},
			}),
			'pop-node': box('pop-node', supervisors[2], {
				headendUrl: urls.headend,
				listen: {host, port: popNode},
				// Every subscriber of the demo has the same address.
				repair: {requestsPerSecond: 2000, requestsBurst: 10_000},
			}),
		},
	};
};

/** Writes each box's file and answers where. */
export const writeBoxFiles = async (plan: BoxPlan, directory: string): Promise<Readonly<Record<BoxKind, string>>> => {
	await mkdir(directory, {recursive: true});
	const write = async (kind: BoxKind): Promise<string> => {
		const path = join(directory, `${kind}.yaml`);
		await writeFile(path, stringify(plan.files[kind]));
		return path;
	};
	return {headend: await write('headend'), stb: await write('stb'), 'pop-node': await write('pop-node')};
};
