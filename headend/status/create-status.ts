import type {HeadendStatus} from '#appliance/contract/headend-status-schema.ts';
import type {Clock} from '#appliance/time/clock.ts';
import type {Carousel} from '#headend/carousel/carousel.ts';
import type {ChannelRegistry} from '#headend/ingest/channel-registry.ts';
import {linkStatusOf} from '#headend/status/link-status.ts';
import type {Output} from '#headend/uplink/open-output.ts';
import type {Transmission} from '#headend/uplink/transmission.ts';

const nextMax = 100;
const misfitsMax = 1000;
/** The sent rate is measured over at least this. */
const rateSpanMs = 2000;

export type StatusOptions = {
	readonly boxId: string;
	readonly transmission: Transmission;
	readonly output: Pick<Output, 'stats'>;
	readonly carousel: Carousel;
	readonly channels: ChannelRegistry;
	readonly clock: Clock;
};

/** Answers the headend's status; it keeps two samples of the sender's counters, for the rate. */
export const createStatus = (options: StatusOptions): (() => HeadendStatus) => {
	const {boxId, transmission, output, carousel, channels, clock} = options;
	let from = {atMs: clock.monotonicMs(), bytes: 0};
	let to = from;
	return () => {
		const {config, rateBps} = transmission;
		const stats = carousel.uplink.stats();
		const nowMs = clock.monotonicMs();
		if (nowMs - to.atMs >= rateSpanMs) {
			from = to;
			to = {atMs: nowMs, bytes: stats.wireBytes};
		}
		const spanMs = nowMs - from.atMs;
		const {plan} = carousel.planner;
		const state = carousel.state(nextMax);
		const liveBps = carousel.liveRate.bps();
		return {
			version: 1,
			box: boxId,
			nowMs: clock.nowMs(),
			uplink: {
				group: config.uplink.group,
				port: config.uplink.port,
				rateBps,
				sentBps: spanMs <= 0 ? 0 : Math.max(0, ((stats.wireBytes - from.bytes) * 8000) / spanMs),
				sentBytes: stats.wireBytes,
				sentPackets: stats.packets,
				rateErrorRatio: Math.abs(stats.rateErrorRatio),
			},
			link: linkStatusOf(transmission, {signallingBps: carousel.signallingBps, output: output.stats()}),
			carousel: {
				cycleMs: plan.roundMs,
				position: state.position,
				cycles: state.cycles,
				objectsSent: state.objectsSent,
				objects: plan.lanes.reduce((total, {objects}) => total + objects.length, 0),
				bytes: plan.lanes.reduce((total, {wireBytes}) => total + wireBytes, 0),
				load: [
					{priority: 'live', share: liveBps / rateBps, usedRatio: liveBps / rateBps},
					...plan.lanes.map(({priority, share, usedRatio}) => ({priority, share, usedRatio})),
				],
				doesNotFit: plan.doesNotFit
					.slice(0, misfitsMax)
					.map(({path, sizeBytes, reason}) => ({path, sizeBytes, reason})),
			},
			onAir: carousel.uplink.onAir(),
			next: [...state.next],
			live: channels.state(),
		};
	};
};
