import test from 'ava';
import {createRepairBudget} from '#stb/repair/repair-budget.ts';

test('an hour’s bytes refill evenly, and a waiting player goes into debt', (t) => {
	let nowMs = 0;
	const budget = createRepairBudget({bytesPerHour: 3_600_000, clock: {nowMs: () => nowMs, monotonicMs: () => nowMs}});
	t.true(budget.take(3_600_000));
	t.false(budget.take(1000));
	t.is(budget.waitMs(1000), 1000);
	nowMs += 1000;
	t.true(budget.take(1000));
	budget.takeAnyway(5000);
	t.is(budget.waitMs(1000), 6000);
	nowMs += 6000;
	t.true(budget.take(1000));
});

test('an object larger than the whole budget passes when the budget is full, and no budget lets nothing pass', (t) => {
	const clock = {nowMs: () => 0, monotonicMs: () => 0};
	t.true(createRepairBudget({bytesPerHour: 100, clock}).take(1000));
	t.false(createRepairBudget({bytesPerHour: 0, clock}).take(1));
});
