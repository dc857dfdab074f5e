import {randomInt} from 'node:crypto';
import test from 'ava';
import {type CutRecord, liveWithCuts} from '#test/bench/powercut/cut-life.ts';
import {type CutPhaseName, PhaseClock} from '#test/bench/powercut/cut-phase.ts';
import {drawCut} from '#test/bench/powercut/draw-plan.ts';
import {seededRandom} from '#test/helper/seeded-random.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {testImage} from '#test/helper/with-image.ts';

const testTimeoutMs = 59 * 60_000;
/** One before the update, one while it writes, one when it is tried; `./streamverse bench powercut` has them all. */
const phases: readonly CutPhaseName[] = ['enrolment', 'slot write', 'first boot'];

test('a box that loses its power three times on its way ends with a whole release, and its fleet with the truth', async (t) => {
	t.timeout(testTimeoutMs);
	const seed = randomInt(2 ** 32);
	t.log(`seed ${seed}`);
	const random = seededRandom(seed);
	const images = [await testImage({release: '1.0.0'}), await testImage({release: '1.0.1'})] as const;
	const {cuts, ending, faults} = await liveWithCuts(t, {
		...{directory: await withDirectory(t), images, clock: new PhaseClock()},
		plan: phases.map((phase) => drawCut(phase, random)),
		progress: (line) => t.log(line),
		signal: AbortSignal.timeout(testTimeoutMs),
	});
	t.deepEqual(faults, []);
	t.deepEqual(
		cuts.filter((cut: CutRecord) => cut.faults.length > 0),
		[],
	);
	t.deepEqual(
		cuts.map(({phase}) => phase),
		phases,
	);
	t.is(ending, 'done confirmed');
});
