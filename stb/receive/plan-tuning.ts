import type {MulticastEndpoint} from '#appliance/contract/gateway-session.ts';

/** One socket's worth of sessions: a group and port, with the TSIs that are wanted there; none named = all. */
export type TunedEndpoint = {
	readonly group: string;
	readonly port: number;
	readonly source?: string | undefined;
	readonly tsis?: readonly number[] | undefined;
};

export type TuningStep = {readonly kind: 'join' | 'leave'; readonly endpoint: TunedEndpoint};

/** Endpoints joined at most; the list of them came through the air. */
export const endpointsMax = 64;

/** Gathers sessions by endpoint, in the order in which they are listed. */
export const gatherEndpoints = (sessions: readonly MulticastEndpoint[]): readonly TunedEndpoint[] => {
	const gathered = new Map<string, TunedEndpoint>();
	for (const {group, port, source, tsi} of sessions) {
		const key = keyOf({group, port, source});
		const before = gathered.get(key);
		if (before === undefined && gathered.size === endpointsMax) {
			continue;
		}
		const all = tsi === undefined || (before !== undefined && before.tsis === undefined);
		const tsis = all ? undefined : [...new Set([...(before?.tsis ?? []), tsi])].toSorted((a, b) => a - b);
		gathered.set(key, {group, port, source, tsis});
	}
	return [...gathered.values()];
};

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

const keyOf = ({group, port, source}: Omit<TunedEndpoint, 'tsis'>): string => `${group}|${port}|${source ?? ''}`;

const identityOf = (endpoint: TunedEndpoint): string => `${keyOf(endpoint)}|${endpoint.tsis?.join(',') ?? '*'}`;
