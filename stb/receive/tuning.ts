import type {GatewaySession, MulticastEndpoint, RepairParameters} from '#appliance/contract/gateway-session.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {FluteEndpoint, FluteReceiver} from '#native/flute/receiver.ts';
import type {FluteObject} from '#native/flute/receiver-event.ts';
import type {StbConfig} from '#stb/config-schema.ts';
import {
	gatherEndpoints,
	keyOf,
	planTuning,
	type SessionPatience,
	type TunedEndpoint,
	type TuningStep,
} from '#stb/receive/plan-tuning.ts';
import type {SignallingStore} from '#stb/receive/signalling-store.ts';
import type {RepairServer} from '#stb/repair/repair-servers.ts';
import type {RepairSource} from '#stb/repair/repair-target.ts';

export type Tuning = {
	/**
	 * Joins and leaves so that what is received is the announcement and what the signalling lists by now; called again
	 * now and then, it tries anew what could not be joined.
	 */
	retune(): void;
	/** True once a bootstrap or a gateway configuration has been understood. */
	readonly announced: boolean;
	/** The sessions that are received, the announcement first. */
	endpoints(): readonly MulticastEndpoint[];
	/** Where an object may be repaired, by its session's parameters or else by the box's own configuration. */
	repairSourceOf(object: Pick<FluteObject, 'group' | 'port' | 'tsi'>): RepairSource | undefined;
	/** Every server that stands for this base URI, for misses. */
	originsOf(objectBaseUri: string): readonly RepairServer[];
};

/** How the multicast reaches this process. */
export type Carriage = {readonly interfaceAddress?: string | undefined; readonly source?: string | undefined};

/** A box that is told base URLs but no back-off spreads its requests over this, ms. */
const fallbackRandomBackOffMs = 1000;

/** Tunes the receiver by the signalling: the announcement always, and the union of what both configurations list. */
export const createTuning = (options: {
	readonly receiver: Pick<FluteReceiver, 'join' | 'leave'>;
	readonly signalling: SignallingStore;
	readonly config: StbConfig;
	/** Where a tuner of this box sends the datagrams from: then no other source is heard. */
	readonly carriage?: Carriage | undefined;
	readonly logger: Logger;
}): Tuning => {
	const {receiver, signalling, config, logger} = options;
	const {announcement} = config.receive;
	const carriage = options.carriage ?? {interfaceAddress: config.receive.interfaceAddress};
	let tuned: readonly TunedEndpoint[] = [];
	/** Endpoints whose failure is in the log already; they are tried again at every turn. */
	const failing = new Set<string>();
	const sessions = (): readonly GatewaySession[] => [
		...(signalling.gatewayConfiguration?.sessions ?? []),
		...(signalling.bootstrap?.sessions ?? []),
	];
	const endpoints = (): readonly TunedEndpoint[] => gatherEndpoints([{endpoint: announcement}, ...sessions()]);
	const fallback: RepairSource = {
		objectBaseUri: config.objectBaseUri,
		servers: config.repair.fallbackBaseUrls,
		fixedBackOffMs: 0,
		randomBackOffMs: fallbackRandomBackOffMs,
	};
	return {
		retune: () => {
			const wanted = endpoints();
			const failed = new Set<string>();
			for (const {kind, endpoint} of planTuning(tuned, wanted)) {
				const key = keyOf(endpoint);
				try {
					tune(receiver, kind, fluteEndpoint(endpoint, carriage), endpoint.patience);
					failing.delete(key);
					logger.info({...endpoint}, kind === 'join' ? 'join' : 'leave');
				} catch (error) {
					// One session that cannot be joined (a group that is none) must not cost the others. An interface that is
					// not up yet, as the tuner's at boot, is there at a later turn.
					failed.add(key);
					logger[failing.has(key) ? 'debug' : 'error']({err: error, ...endpoint}, 'this session cannot be tuned to');
				}
			}
			tuned = wanted.filter((endpoint) => !failed.has(keyOf(endpoint)));
			failing.clear();
			for (const key of failed) {
				failing.add(key);
			}
		},
		get announced() {
			return signalling.bootstrap !== undefined || signalling.gatewayConfiguration !== undefined;
		},
		endpoints: () => endpoints().flatMap(expand),
		repairSourceOf: (object) => {
			const session = sessions().find((candidate) => carries(candidate, object) && hasServers(candidate.repair));
			if (session?.repair !== undefined) {
				return sourceOf(session.repair);
			}
			return fallback.servers.length === 0 ? undefined : fallback;
		},
		originsOf: (objectBaseUri) => {
			const named = sessions().flatMap(({repair}) => (repair?.objectBaseUri === objectBaseUri ? repair.baseUrls : []));
			const servers = named.length > 0 ? named : fallback.servers;
			return [...new Map(servers.map((server) => [server.url, server])).values()];
		},
	};
};

/** A session of another patience is joined once more by itself; the receiver keeps patience by session. */
const tune = (
	receiver: Pick<FluteReceiver, 'join' | 'leave'>,
	kind: TuningStep['kind'],
	endpoint: FluteEndpoint,
	patience: readonly SessionPatience[],
): void => {
	receiver[kind](endpoint);
	const {tsis, ...all} = endpoint;
	for (const {tsi, objectIdleMs} of kind === 'join' ? patience : []) {
		receiver.join({...all, ...(tsi === undefined ? {} : {tsis: [tsi]}), objectIdleMs});
	}
};

const fluteEndpoint = (
	{group, port, tsis, ...endpoint}: Omit<TunedEndpoint, 'patience'>,
	{interfaceAddress, source = endpoint.source}: Carriage,
): FluteEndpoint => ({
	...{group, port},
	...(source === undefined ? {} : {source}),
	...(tsis === undefined ? {} : {tsis}),
	...(interfaceAddress === undefined ? {} : {interfaceAddress}),
});

const expand = ({group, port, source, tsis}: TunedEndpoint): readonly MulticastEndpoint[] =>
	(tsis ?? [undefined]).map((tsi) => ({group, port, source, tsi}));

const carries = ({endpoint}: GatewaySession, object: Pick<FluteObject, 'group' | 'port' | 'tsi'>): boolean =>
	endpoint.group === object.group &&
	endpoint.port === object.port &&
	(endpoint.tsi === undefined || endpoint.tsi === object.tsi);

const hasServers = (repair: RepairParameters | undefined): boolean => (repair?.baseUrls.length ?? 0) > 0;

const sourceOf = ({objectBaseUri, baseUrls, fixedBackOffMs, randomBackOffMs}: RepairParameters): RepairSource => ({
	...{objectBaseUri, fixedBackOffMs, randomBackOffMs},
	servers: baseUrls,
});
