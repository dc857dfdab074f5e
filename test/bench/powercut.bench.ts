import {randomInt} from 'node:crypto';
import {mkdir, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {projectRoot} from '#native/project-root.ts';
import type {Bench, BenchOption} from '#test/bench/bench-row.ts';
import type {Segment} from '#test/bench/powercut/bench-box.ts';
import {type LifeOptions, liveWithCuts} from '#test/bench/powercut/cut-life.ts';
import {PhaseClock} from '#test/bench/powercut/cut-phase.ts';
import {type BenchedLife, cutRows} from '#test/bench/powercut/cut-rows.ts';
import {drawPlan} from '#test/bench/powercut/draw-plan.ts';
import {replayCuts} from '#test/bench/powercut/replay-cuts.ts';
import {seededRandom} from '#test/helper/seeded-random.ts';
import {testImage} from '#test/helper/with-image.ts';

const defaultCuts = 20;
const seedMax = 2 ** 32;
/** They take seconds, where a cut with its boot takes minutes. */
const replaysPerCut = 10;
/** What is left of boxes that did not survive. */
const keptDirectory = join(projectRoot, 'build/powercut');

export const takes: readonly BenchOption[] = ['n', 'seed'];

/**
 * Boxes in QEMU live from their first boot to the end of an update by a real fleet, and lose power several times on the
 * way. After every cut each must come back with a whole release and be what its fleet believes of it.
 */
export const run: Bench = async ({n = defaultCuts, seed = randomInt(seedMax), signal, progress}) => {
	progress(`${n} cuts; the same again: --n ${n} --seed ${seed}`);
	const images = [await testImage({release: '1.0.0'}), await testImage({release: '1.0.1'})] as const;
	const random = seededRandom(seed);
	const clock = new PhaseClock();
	const lives: BenchedLife[] = [];
	for (let left = n; left > 0; ) {
		const name = `${seed}-${lives.length + 1}`;
		const record = await liveOnce({
			...{plan: drawPlan(random).slice(0, left), directory: join(keptDirectory, name), images, clock, random, signal},
			progress: (line) => progress(`life ${name}: ${line}`),
		});
		lives.push(record);
		// A life without a cut counts as one: there must be an end.
		left -= Math.max(1, record.cuts.length);
	}
	return cutRows(lives);
};

const liveOnce = async (options: LifeOptions & {readonly random: () => number}): Promise<BenchedLife> => {
	const {directory, plan, progress} = options;
	await rm(directory, {recursive: true, force: true});
	await mkdir(directory, {recursive: true});
	await using stack = new AsyncDisposableStack();
	const segments: Segment[] = [];
	const onSegment = (segment: Segment): void => void segments.push(segment);
	const life = await liveWithCuts({teardown: (work) => stack.defer(work)}, {...options, onSegment});
	progress(life.ending);
	const replayed = await replayCuts({...options, segments, count: replaysPerCut * life.cuts.length});
	progress(`${replayed.length} cuts replayed`);
	const record = {...life, replayed};
	const faults = [...[...life.cuts, ...replayed].flatMap((cut) => cut.faults), ...life.faults];
	if (faults.length === 0) {
		await rm(directory, {recursive: true});
	} else {
		await writeFile(join(directory, 'record.json'), JSON.stringify({plan, ...record}, undefined, '\t'));
		progress(`NOT SURVIVED; disk and console are kept in ${directory}: ${faults.join('; ').split('\n')[0]}`);
	}
	return record;
};
