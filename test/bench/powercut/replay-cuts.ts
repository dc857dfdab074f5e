import {execFileSync} from 'node:child_process';
import {rmSync} from 'node:fs';
import {join} from 'node:path';
import type {Segment} from '#test/bench/powercut/bench-box.ts';
import {faultsOnDisk} from '#test/bench/powercut/judge-disk.ts';
import {type CacheLoss, logEntries, replayLog} from '#test/bench/powercut/write-log.ts';
import type {TestImage} from '#test/helper/with-image.ts';

const losses: readonly CacheLoss[] = ['nothing', 'everything', 'some'];

export type ReplayedCut = {
	readonly segment: number;
	/** The power goes behind so many entries of the segment's log. */
	readonly entries: number;
	readonly loss: CacheLoss;
	readonly lost: number;
	readonly faults: readonly string[];
};

/**
 * Cuts that never were: at any write of a life whose writes were logged, with any loss of the disk's cache. They cost no
 * boot, and are judged by the disk alone.
 */
export const replayCuts = async (options: {
	readonly segments: readonly Segment[];
	readonly count: number;
	readonly images: readonly TestImage[];
	readonly directory: string;
	readonly random: () => number;
	readonly signal: AbortSignal;
}): Promise<readonly ReplayedCut[]> => {
	const {segments, count, images, directory, random, signal} = options;
	const logged = segments.map(({logPath}) => logEntries(logPath));
	const total = logged.reduce((sum, entries) => sum + entries, 0);
	const diskPath = join(directory, 'replayed.img');
	const cuts: ReplayedCut[] = [];
	while (cuts.length < count && total > 0) {
		signal.throwIfAborted();
		let entries = Math.floor(random() * total) + 1;
		const segment = logged.findIndex((each) => {
			entries -= each;
			return entries <= 0;
		});
		const from = segments[segment];
		if (from === undefined) {
			throw new RangeError('There is no such entry.');
		}
		entries += logged[segment] ?? 0;
		const loss = losses[Math.floor(random() * losses.length)] ?? 'some';
		execFileSync('cp', ['--sparse=always', from.diskPath, diskPath]);
		const {lost} = replayLog({logPath: from.logPath, diskPath, loss, random, entries});
		const faults = await faultsOnDisk({diskPath, directory: join(directory, 'replayed'), images});
		cuts.push({segment, entries, loss, lost, faults});
		rmSync(diskPath);
	}
	return cuts;
};
