import type {HeadendStatus} from '#appliance/contract/headend-status-schema.ts';
import type {StbStatus} from '#appliance/contract/stb-status-schema.ts';
import type {ObjectCheck} from '#demo/check/check-objects.ts';
import type {LinkStats} from '#demo/link/link-stats.ts';
import type {DemoReport, PlaybackResult} from '#demo/report/report-schema.ts';

export type DemoFacts = {
	readonly startedMs: number;
	readonly endedMs: number;
	readonly seed: number;
	readonly headend: HeadendStatus;
	readonly stb: StbStatus;
	readonly link: LinkStats;
	readonly check: ObjectCheck;
	readonly playback: {readonly vod: PlaybackResult; readonly live: PlaybackResult};
	readonly fleet: DemoReport['fleet'];
	readonly update?: DemoReport['update'];
	readonly signal?: DemoReport['signal'];
};

/** The verdict and the figures behind it. Pure, so that every way to fail is tested without a demo. */
export const makeReport = (facts: DemoFacts): DemoReport => {
	const {headend, stb, link, check, playback} = facts;
	const reasons = [
		...objectReasons(check),
		...playbackReasons('title', playback.vod),
		...playbackReasons('live', playback.live),
		...fleetReasons(facts.fleet),
		...updateReasons(facts.update),
		...signalReasons(facts.signal),
	];
	return {
		version: 1,
		startedAt: new Date(facts.startedMs).toISOString(),
		durationMs: Math.round(facts.endedMs - facts.startedMs),
		seed: facts.seed,
		objects: {
			sent: headend.carousel.objectsSent,
			received: stb.objects.received,
			repaired: stb.objects.repaired,
			failed: stb.objects.failed,
			...check,
			different: [...check.different],
		},
		bytes: {
			multicast: stb.receive.bytes,
			repaired: stb.repair.bytes,
			fecRecovered: stb.receive.fecRecoveredBytes,
			terrestrial: stb.terrestrial.bytes,
		},
		loss: {
			injectedRatio: link.injectedRatio,
			packets: link.packets,
			lostPackets: link.lost,
			fadedPackets: link.faded,
			kernelDrops: stb.receive.kernelDrops,
		},
		repair: {requests: stb.repair.requests, failures: stb.repair.failures, latencyMs: stb.repair.latencyMs},
		playback,
		cache: {
			hitRatio: stb.cache.hitRatio,
			hits: stb.cache.hits,
			misses: stb.cache.misses,
			objects: stb.cache.objects,
		},
		carousel: {rateErrorRatio: headend.uplink.rateErrorRatio, rateBps: headend.uplink.rateBps},
		fleet: facts.fleet,
		...(facts.update === undefined ? {} : {update: facts.update}),
		...(facts.signal === undefined ? {} : {signal: facts.signal}),
		ok: reasons.length === 0,
		reasons,
	};
};

const objectReasons = ({checked, different, unknown}: ObjectCheck): readonly string[] => [
	...(checked === 0 ? ['no object arrived'] : []),
	...(unknown === 0 ? [] : [`${unknown} objects of the set-top came from no source`]),
	...different.map((uri) => `differs from its source: ${uri}`),
];

const playbackReasons = (what: string, result: PlaybackResult): readonly string[] => [
	...(result.startupMs === null ? [`the ${what} never started`] : []),
	...(result.stalls === 0 ? [] : [`the ${what} stalled ${result.stalls} times, ${Math.round(result.stalledMs)} ms`]),
	...(result.error === undefined ? [] : [`the ${what} failed: ${result.error}`]),
	...(result.startupMs !== null && result.framesDecoded === 0 ? [`the ${what} showed no frame`] : []),
];

const fleetReasons = ({boxes, enrolled, online}: DemoReport['fleet']): readonly string[] => [
	...(enrolled === boxes ? [] : [`${enrolled} of ${boxes} boxes enrolled with the fleet`]),
	...(online === boxes ? [] : [`the fleet sees ${online} of ${boxes} boxes online`]),
];

const signalReasons = (signal: DemoReport['signal']): readonly string[] => [
	...(signal?.datagrams === 0 ? ['no datagram came by the signal'] : []),
	...(signal === undefined || signal.droppedDatagrams === 0
		? []
		: [`the transponder had no room for ${signal.droppedDatagrams} datagrams of the plan`]),
];

/** One wave keeps the release, the other falls back from it, and the rollout notices. */
const updateReasons = (update: DemoReport['update']): readonly string[] => {
	if (update === undefined) {
		return [];
	}
	const {waves, stoppedByItself, bytesMulticast} = update;
	const kept = waves.filter(({confirmed}) => confirmed > 0).length;
	const fellBack = waves.filter(({rolledBack}) => rolledBack > 0).length;
	return [
		...(kept === 1 ? [] : [`${kept} waves kept the release, not 1`]),
		...(fellBack === 1 ? [] : [`${fellBack} waves fell back, not 1`]),
		...(stoppedByItself ? [] : ['the rollout did not stop when a box had failed']),
		...(bytesMulticast > 0 ? [] : ['no byte of the release came by the carousel']),
	];
};
