import {createRandom} from '#demo/link/random.ts';

/** What the link does to one packet. */
export type PacketFate = 'pass' | 'lose' | 'fade' | 'duplicate' | 'delay' | 'truncate' | 'corrupt';

/** A span without any signal, in ms since the link began; where nothing was sent then, it begins with the next packet. */
export type Fade = {readonly atMs: number; readonly durationMs: number};

export type LossOptions = {
	/** The same seed and the same packets give the same fates. */
	readonly seed: number;
	/** Share of packets lost outside of fades, 0..1. */
	readonly lossRatio?: number;
	/** Mean length of a run of lost packets (Gilbert model); absent = losses are independent of each other. */
	readonly burstPacketsMean?: number;
	readonly fades?: readonly Fade[];
	/** Share of packets sent twice. */
	readonly duplicateRatio?: number;
	/** Share of packets that come after the next one (reordering). */
	readonly delayRatio?: number;
	/** Share of packets cut short at a random byte. */
	readonly truncateRatio?: number;
	/** Share of packets with one byte changed; UDP would catch it, a broken encapsulator's checksum would not. */
	readonly corruptRatio?: number;
};

export type LossModel = {
	/** Decides one packet; call it once per packet, in order. */
	decide(elapsedMs: number): PacketFate;
	/** 0 <= n < 1 from the same sequence, for where to cut or what to change. */
	random(): number;
};

/** Pure but for its own sequence: no clock, no socket. Two draws a packet, so that one option does not shift another's. */
export const createLossModel = (options: LossOptions): LossModel => {
	const {lossRatio = 0, burstPacketsMean, fades = []} = options;
	const random = createRandom(options.seed);
	const loses = lossProcess({lossRatio, ...(burstPacketsMean === undefined ? {} : {burstPacketsMean})});
	const impairments = [
		['duplicate', options.duplicateRatio ?? 0],
		['delay', options.delayRatio ?? 0],
		['truncate', options.truncateRatio ?? 0],
		['corrupt', options.corruptRatio ?? 0],
	] as const;
	const begunMs = new Map<Fade, number>();
	const isWithin = (fade: Fade, elapsedMs: number): boolean => {
		if (elapsedMs < fade.atMs) {
			return false;
		}
		// A machine that stood still for as long would let every packet pass.
		const beganMs = begunMs.get(fade) ?? (elapsedMs < fade.atMs + fade.durationMs ? fade.atMs : elapsedMs);
		begunMs.set(fade, beganMs);
		return elapsedMs < beganMs + fade.durationMs;
	};
	return {
		random,
		decide: (elapsedMs) => {
			const lost = loses(random());
			let draw = random();
			if (fades.some((fade) => isWithin(fade, elapsedMs))) {
				return 'fade';
			}
			if (lost) {
				return 'lose';
			}
			for (const [fate, ratio] of impairments) {
				if (draw < ratio) {
					return fate;
				}
				draw -= ratio;
			}
			return 'pass';
		},
	};
};

/**
 * Gilbert's two states: in `bad` every packet is lost. The chances to enter and to leave follow from the share of
 * packets lost and the mean run: leave = 1/mean, enter = leave · ratio / (1 - ratio).
 */
const lossProcess = (options: {
	readonly lossRatio: number;
	readonly burstPacketsMean?: number;
}): ((draw: number) => boolean) => {
	const {lossRatio, burstPacketsMean} = options;
	if (burstPacketsMean === undefined || lossRatio <= 0 || lossRatio >= 1) {
		return (draw) => draw < lossRatio;
	}
	const leave = 1 / Math.max(1, burstPacketsMean);
	const enter = Math.min(1, (leave * lossRatio) / (1 - lossRatio));
	let bad = false;
	return (draw) => {
		bad = bad ? draw >= leave : draw < enter;
		return bad;
	};
};

/** One fade at a seeded time in the middle of a span, so that there is a before and an after. */
export const fadeWithin = (options: {
	readonly seed: number;
	readonly spanMs: number;
	readonly durationMs: number;
}): readonly Fade[] => {
	const {seed, spanMs, durationMs} = options;
	if (durationMs <= 0) {
		return [];
	}
	const earliestMs = spanMs * 0.25;
	const latestMs = Math.max(earliestMs, spanMs * 0.6 - durationMs);
	return [{atMs: Math.round(earliestMs + (latestMs - earliestMs) * createRandom(seed)()), durationMs}];
};
