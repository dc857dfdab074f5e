import {createHash, randomInt} from 'node:crypto';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {type BoxKind, deviceIdSchema} from '#appliance/contract/box-schema.ts';
import type {Priority} from '#appliance/contract/catalogue-schema.ts';
import {type StbStatus, stbStatusSchema} from '#appliance/contract/stb-status-schema.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import type {RunningRole} from '#appliance/process/role-context.ts';
import type {LossOptions} from '#demo/link/loss-model.ts';
import type {Impairment} from '#demo/link/sample-dish.ts';
import {type Dish, dishAddress, openDish, type SignalOptions, signalSections} from '#demo/link/signal.ts';
import {type Link, startLink} from '#demo/link/start-link.ts';
import {headendConfigSchema} from '#headend/config-schema.ts';
import {startHeadend} from '#headend/start.ts';
import {popNodeConfigSchema} from '#pop-node/config-schema.ts';
import {startPopNode} from '#pop-node/start.ts';
import {stbConfigSchema} from '#stb/config-schema.ts';
import {startStb} from '#stb/start.ts';
import {eventually} from '#test/helper/eventually.ts';
import {freePort} from '#test/helper/free-port.ts';
import {freeUdpPort} from '#test/helper/free-udp-port.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const portOffset = 1000;
/** Of both ends: what the gateway configuration says outranks what the box is set to. */
const defaultIdleMs = 600;

export type SatelliteOptions = {
	readonly model: LossOptions;
	/** Repair symbols per hundred; 0 sends without FEC. */
	readonly fecPercent?: number;
	readonly rateBps?: number;
	/** A real signal between headend and link, at a rate that follows from its transponder. */
	readonly signal?: Omit<SignalOptions, 'port'>;
	/** What happens to the samples of `iq` on their way. */
	readonly impair?: Impairment;
	readonly tunedTimeoutMs?: number;
	readonly repair?: Readonly<Record<string, unknown>>;
	readonly receive?: Readonly<Record<string, unknown>>;
	readonly cache?: Readonly<Record<string, unknown>>;
	readonly serve?: Readonly<Record<string, unknown>>;
	/** Sections of the headend's configuration. */
	readonly headend?: Readonly<Record<string, unknown>>;
	/** False: nobody answers where the repair server should be. */
	readonly popNode?: boolean;
	/** False: the caller starts the set-top itself, from `stbSection`. */
	readonly stb?: boolean;
};

export type Satellite = {
	readonly headendUrl: string;
	readonly popNodeUrl: string;
	readonly link: Link;
	/** Of a real signal. */
	readonly dish?: Dish | undefined;
	readonly stateDirectory: string;
	/** The `stb:` section of a set-top that looks at this satellite. */
	readonly stbSection: Readonly<Record<string, unknown>>;
	stbUrl(): string;
	startPopNode(): Promise<void>;
	stopPopNode(): Promise<void>;
	put(path: string, bytes: Buffer, options?: {readonly priority?: Priority}): Promise<void>;
	status(): Promise<StbStatus>;
	/** Waits until the set-top holds the object, and answers the bytes that it serves. */
	received(path: string, options?: {readonly timeoutMs?: number}): Promise<Buffer>;
};

/** Headend, lossy link, pop-node and set-top in this process, on groups and ports of their own. */
export const withSatellite = async (t: ExecutionContext, options: SatelliteOptions): Promise<Satellite> => {
	const stateDirectory = await withDirectory(t);
	const [group, announcementGroup] = [randomGroup(), randomGroup()];
	// Below the range from which the kernel takes ports for others, with the link's offset too.
	const [port, announcementPort] = [randomInt(20_000, 30_000), randomInt(31_100, 31_700)];
	const popNodePort = await freePort();
	const popNodeUrl = `http://127.0.0.1:${popNodePort}`;
	const announcement = {group: announcementGroup, port: announcementPort};
	const controller = new AbortController();
	const contextOf = <Config>(kind: BoxKind, config: Config) => ({
		box: {id: deviceIdSchema.parse(`${kind}-test`), kind, stateDirectory: join(stateDirectory, kind)},
		config,
		logger: silentLogger(),
		signal: controller.signal,
	});
	const own = <Role extends AsyncDisposable>(role: Role): Role => {
		t.teardown(() => role[Symbol.asyncDispose]());
		return role;
	};
	t.teardown(() => controller.abort());
	const {fecPercent = 0, rateBps = 20_000_000} = options;
	const signal = options.signal === undefined ? undefined : {...options.signal, port: await freeUdpPort()};
	const sections = signal === undefined ? undefined : signalSections(signal);
	const source = signal === undefined ? undefined : dishAddress;
	const dish = signal === undefined ? undefined : own(openDish(signal, options.impair));
	const link = own(
		await startLink({
			channels: [
				{group, port, portOffset, source},
				{...announcement, portOffset, source},
			],
			model: options.model,
		}),
	);
	const headend = own(
		await startHeadend(
			contextOf(
				'headend',
				headendConfigSchema.parse({
					listen: {host: '127.0.0.1', port: 0},
					uplink: {
						...{group, port, portOffset, announcement, interfaceAddress: '127.0.0.1'},
						...(sections === undefined ? {rateBps} : {output: sections.output}),
						fec: fecPercent === 0 ? {encodingId: 0} : {encodingId: 5, overheadPercent: fecPercent},
					},
					repair: {
						baseUrls: [{url: `${popNodeUrl}/streamverse/`}],
						randomBackOffMs: 50,
						receptionTimeoutMs: Number(options.receive?.['objectIdleMs'] ?? defaultIdleMs),
					},
					...(sections === undefined ? {} : {network: sections.network}),
					...options.headend,
				}),
			),
		),
	);
	const headendUrl = headend.endpoints['http'] ?? '';
	let popNode: RunningRole | undefined;
	const startPop = async (): Promise<void> => {
		popNode = await startPopNode(
			contextOf(
				'pop-node',
				popNodeConfigSchema.parse({
					headendUrl,
					listen: {host: '127.0.0.1', port: popNodePort},
					ingest: {retryDelayMinMs: 20, retryDelayMaxMs: 100},
				}),
			),
		);
	};
	const stopPop = async (): Promise<void> => {
		await popNode?.[Symbol.asyncDispose]();
		popNode = undefined;
	};
	t.teardown(stopPop);
	if (options.popNode !== false) {
		await startPop();
	}
	const stbSection = {
		receive: {
			announcement,
			interfaceAddress: '127.0.0.1',
			objectIdleMs: defaultIdleMs,
			progressIntervalMs: 50,
			...options.receive,
		},
		repair: {retryDelayMinMs: 50, retryDelayMaxMs: 500, ...options.repair},
		cache: options.cache ?? {},
		serve: {listen: {host: '127.0.0.1', port: 0}, ...options.serve},
	};
	let stb: RunningRole | undefined;
	const stbUrl = (): string => stb?.endpoints['http'] ?? '';
	const status = async (): Promise<StbStatus> =>
		stbStatusSchema.parse(await (await fetch(`${stbUrl()}/box/status`)).json());
	if (options.stb !== false) {
		stb = own(await startStb(contextOf('stb', stbConfigSchema.parse(stbSection))));
		await eventually(
			'the set-top is tuned to the content',
			async () => (await status()).tuned.sessions.some((session) => session.group === group),
			options.tunedTimeoutMs === undefined ? {} : {timeoutMs: options.tunedTimeoutMs},
		);
	}
	return {
		...{headendUrl, popNodeUrl, link, dish, stateDirectory, stbSection, stbUrl, status},
		startPopNode: startPop,
		stopPopNode: stopPop,
		put: async (path, bytes, {priority = 'high'} = {}) => {
			const response = await fetch(`${headendUrl}/catalogue/${path}`, {
				method: 'PUT',
				headers: {'content-type': 'application/octet-stream', 'streamverse-priority': priority},
				body: new Uint8Array(bytes),
			});
			t.true(response.ok, `PUT ${path}: ${response.status} ${await response.text()}`);
		},
		received: async (path, {timeoutMs = 60_000} = {}) => {
			const uri = `http://dvb.gw/streamverse/${path}`;
			await eventually(
				`${path} lies in the set-top’s cache`,
				async () => {
					const after = encodeURIComponent(uri.slice(0, -1));
					const response = await fetch(`${stbUrl()}/box/cache?limit=10&after=${after}`);
					const {objects} = (await response.json()) as {objects: readonly {uri: string}[]};
					return objects.some((object) => object.uri === uri);
				},
				{timeoutMs, intervalMs: 50},
			);
			return Buffer.from(await (await fetch(`${stbUrl()}/streamverse/${path}`)).arrayBuffer());
		},
	};
};

export const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

const randomGroup = (): string => `239.255.${randomInt(10, 250)}.${randomInt(1, 250)}`;
