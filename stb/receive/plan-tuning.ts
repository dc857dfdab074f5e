import type {GatewaySession, MulticastEndpoint} from '#appliance/contract/gateway-session.ts';

/** One socket's worth of sessions: a group and port, with the TSIs that are wanted there; none named = all. */
export type TunedEndpoint = {
	readonly group: string;
	readonly port: number;
	readonly source?: string | undefined;
	readonly tsis?: readonly number[] | undefined;
	/** Sessions whose transmissions end after another silence than the box's own, TSI `undefined` being all others. */
	readonly patience: readonly SessionPatience[];
};

export type SessionPatience = {readonly tsi: number | undefined; readonly objectIdleMs: number};

/** A session as far as tuning goes. */
export type TunableSession = Pick<GatewaySession, 'endpoint' | 'repair'>;

export type TuningStep = {readonly kind: 'join' | 'leave'; readonly endpoint: TunedEndpoint};

/** Endpoints joined at most; the list of them came through the air. */
export const endpointsMax = 64;
/** Below this every pause of a sender would count as the end of a transmission. */
const objectIdleMsMin = 100;

/** Gathers sessions by endpoint, in the order in which they are listed. */
export const gatherEndpoints = (sessions: readonly TunableSession[]): readonly TunedEndpoint[] => {
	const gathered = new Map<string, TunedEndpoint>();
	for (const {endpoint, repair} of sessions) {
		const {group, port, source, tsi} = endpoint;
		const key = keyOf({group, port, source});
		const before = gathered.get(key);
		if (before === undefined && gathered.size === endpointsMax) {
			continue;
		}
		const all = tsi === undefined || (before !== undefined && before.tsis === undefined);
		const tsis = all ? undefined : [...new Set([...(before?.tsis ?? []), tsi])].toSorted((a, b) => a - b);
		gathered.set(key, {group, port, source, tsis, patience: withPatience(before?.patience ?? [], tsi, repair)});
	}
	return [...gathered.values()];
};

/** transportObjectReceptionTimeout (TS 103 769 clause 9); of two configurations that list a session the first counts. */
const withPatience = (
	known: readonly SessionPatience[],
	tsi: number | undefined,
	repair: TunableSession['repair'],
): readonly SessionPatience[] =>
	repair === undefined || known.some((patience) => patience.tsi === tsi)
		? known
		: [...known, {tsi, objectIdleMs: Math.max(objectIdleMsMin, repair.receptionTimeoutMs)}];

/**
 * What stays the same is not touched. An endpoint whose sessions changed is joined again without leaving it, because the
 * receiver adds the new ones while packets go on; sessions that are no longer listed there fall silent by themselves.
 */
export const planTuning = (
	current: readonly TunedEndpoint[],
	wanted: readonly TunedEndpoint[],
): readonly TuningStep[] => {
	const wantedKeys = new Set(wanted.map(keyOf));
	const currentIdentities = new Set(current.map(identityOf));
	return [
		...current.filter((endpoint) => !wantedKeys.has(keyOf(endpoint))).map((endpoint) => step('leave', endpoint)),
		...wanted
			.filter((endpoint) => !currentIdentities.has(identityOf(endpoint)))
			.map((endpoint) => step('join', endpoint)),
	];
};

const step = (kind: TuningStep['kind'], endpoint: TunedEndpoint): TuningStep => ({kind, endpoint});

export const keyOf = ({group, port, source}: Omit<MulticastEndpoint, 'tsi'>): string =>
	`${group}|${port}|${source ?? ''}`;

const identityOf = (endpoint: TunedEndpoint): string =>
	`${keyOf(endpoint)}|${endpoint.tsis?.join(',') ?? '*'}|${JSON.stringify(endpoint.patience)}`;
