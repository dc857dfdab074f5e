import type {GatewaySession, MulticastEndpoint, RepairParameters} from '#appliance/contract/gateway-session.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {FluteEndpoint, FluteReceiver} from '#native/flute/receiver.ts';
import type {FluteObject} from '#native/flute/receiver-event.ts';
import type {StbConfig} from '#stb/config-schema.ts';
import {gatherEndpoints, planTuning, type TunedEndpoint} from '#stb/receive/plan-tuning.ts';
import type {SignallingStore} from '#stb/receive/signalling-store.ts';
import type {RepairServer} from '#stb/repair/repair-servers.ts';
import type {RepairSource} from '#stb/repair/repair-target.ts';

export type Tuning = {
	/** Joins and leaves so that what is received is the announcement and what the signalling lists by now. */
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

/** A box that is told base URLs but no back-off spreads its requests over this, ms. */
const fallbackRandomBackOffMs = 1000;

/** Tunes the receiver by the signalling: the announcement always, and the union of what both configurations list. */
export const createTuning = (options: {
	readonly receiver: Pick<FluteReceiver, 'join' | 'leave'>;
	readonly signalling: SignallingStore;
	readonly config: StbConfig;
	readonly logger: Logger;
}): Tuning => {
	const {receiver, signalling, config, logger} = options;
	const {interfaceAddress, announcement} = config.receive;
	let tuned: readonly TunedEndpoint[] = [];
	const sessions = (): readonly GatewaySession[] => [
		...(signalling.gatewayConfiguration?.sessions ?? []),
		...(signalling.bootstrap?.sessions ?? []),
	];
	const endpoints = (): readonly MulticastEndpoint[] => [announcement, ...sessions().map(({endpoint}) => endpoint)];
	const fallback: RepairSource = {
		objectBaseUri: config.objectBaseUri,
		servers: config.repair.fallbackBaseUrls,
		fixedBackOffMs: 0,
		randomBackOffMs: fallbackRandomBackOffMs,
	};
	return {
		retune: () => {
			const wanted = gatherEndpoints(endpoints());
			for (const {kind, endpoint} of planTuning(tuned, wanted)) {
				try {
					receiver[kind](fluteEndpoint(endpoint, interfaceAddress));
					logger.info({...endpoint}, kind === 'join' ? 'join' : 'leave');
				} catch (error) {
					// One session that cannot be joined (a group that is none) must not cost the others.
					logger.error({err: error, ...endpoint}, 'this session cannot be tuned to');
				}
			}
			tuned = wanted;
		},
		get announced() {
			return signalling.bootstrap !== undefined || signalling.gatewayConfiguration !== undefined;
		},
		endpoints: () => gatherEndpoints(endpoints()).flatMap(expand),
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

const fluteEndpoint = (
	{group, port, source, tsis}: TunedEndpoint,
	interfaceAddress: string | undefined,
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
