import {carouselPriorities, type PlanObject, planCarousel} from '#headend/schedule/plan-carousel.ts';
import {timelineOf} from '#headend/schedule/plan-timeline.ts';
import {fdtBytesPerObject, fecGeometryOf, wireBytesOf} from '#headend/schedule/wire-size.ts';
import type {Bench} from '#test/bench/bench-row.ts';

const repeats = 5;
/** A re-plan must not be felt by who waits for an answer of the headend. */
const barMs: Readonly<Record<number, number>> = {1000: 50, 100000: 1000};
const fecOptions = {symbolBytes: 1400, encodingId: 5, sourceBlockSymbolsMax: 200, overheadPercent: 5} as const;

/** Sizes like a catalogue's: mostly segments of 0.1 to 4 MB, some manifests; the same every time. */
const catalogueOf = (count: number): PlanObject[] => {
	let state = 1;
	const random = (): number => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return state / 2 ** 32;
	};
	return Array.from({length: count}, (_, order) => {
		const sizeBytes = order % 20 === 0 ? 2000 : Math.round(100_000 + random() * 3_900_000);
		return {
			path: `vod/title-${order % 500}/segment-${order}.m4s`,
			priority: carouselPriorities[order % 3] ?? 'low',
			sizeBytes,
			wireBytes: wireBytesOf(sizeBytes, fecGeometryOf(sizeBytes, fecOptions)) + fdtBytesPerObject,
			order,
			revision: order,
		};
	});
};

const medianMs = (run: () => void): number => {
	const times = Array.from({length: repeats}, () => {
		const startedMs = performance.now();
		run();
		return performance.now() - startedMs;
	});
	return times.sort((a, b) => a - b)[Math.floor(repeats / 2)] ?? 0;
};

export const run: Bench = ({progress}) => {
	const rows = [1000, 100_000].flatMap((count) => {
		progress(`planning ${count} objects`);
		const objects = catalogueOf(count);
		// 61.3 Mbit/s carries 1,000 of these in a cycle; 100,000 do not fit, which is the harder plan.
		const request = {
			objects,
			rateBps: 59_000_000,
			reservedBps: 1_000_000,
			cycleMs: 3_600_000,
			shares: {high: 0.5, medium: 0.3, low: 0.2},
			repeatsMax: 8,
		};
		const plan = planCarousel(request);
		const roomy = planCarousel({...request, rateBps: 59_000_000_000});
		const planMs = Math.max(
			medianMs(() => planCarousel(request)),
			medianMs(() => planCarousel({...request, rateBps: 59_000_000_000})),
		);
		const bar = barMs[count] ?? 0;
		return [
			{name: `plan.${count}`, value: planMs, unit: 'ms', reference: 'milliseconds allowed', bar, pass: planMs <= bar},
			{name: `plan.${count}.timeline`, value: medianMs(() => timelineOf(roomy)), unit: 'ms'},
			{name: `plan.${count}.misfits`, value: plan.doesNotFit.length, unit: 'objects'},
		];
	});
	return Promise.resolve(rows);
};
