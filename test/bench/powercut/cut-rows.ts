import type {BenchRow} from '#test/bench/bench-row.ts';
import type {CutRecord, LifeRecord} from '#test/bench/powercut/cut-life.ts';
import {cutPhases} from '#test/bench/powercut/cut-phase.ts';
import type {ReplayedCut} from '#test/bench/powercut/replay-cuts.ts';

export type BenchedLife = LifeRecord & {readonly replayed: readonly ReplayedCut[]};

/** How many cuts of each phase a box survived, and how many of its updates ended with the truth. */
export const cutRows = (lives: readonly BenchedLife[]): readonly BenchRow[] => {
	const cuts = lives.flatMap((life) => life.cuts);
	const phases = cutPhases.map(({name}) => ({name, own: cuts.filter(({phase}) => phase === name)}));
	return [
		...phases
			.filter(({own}) => own.length > 0)
			.map(({name, own}) => wholeRow(`cuts survived: ${name}`, own, {unit: 'cuts', reference: 'cuts made'})),
		wholeRow('cuts survived', cuts, {unit: 'cuts', reference: 'cuts made'}),
		wholeRow(
			'cuts of a logged disk that is whole',
			lives.flatMap(({replayed}) => replayed),
			{
				...{unit: 'cuts', reference: 'cuts replayed, without a boot'},
			},
		),
		wholeRow('updates that ended with the truth', lives, {unit: 'updates', reference: 'updates ordered'}),
		...recoveryRows(cuts),
	];
};

const wholeRow = (
	name: string,
	records: readonly {readonly faults: readonly string[]}[],
	{unit, reference}: {readonly unit: string; readonly reference: string},
): BenchRow => {
	const value = records.filter(({faults}) => faults.length === 0).length;
	const bar = records.length;
	return {name, value, unit, reference, bar, pass: bar > 0 && value === bar};
};

const recoveryRows = (cuts: readonly CutRecord[]): readonly BenchRow[] => {
	const sorted = cuts.flatMap(({recoverMs}) => recoverMs ?? []).sort((left, right) => left - right);
	const median = sorted[Math.floor(sorted.length / 2)];
	return median === undefined ? [] : [{name: 'from power to the fleet, median', value: median / 1000, unit: 's'}];
};
