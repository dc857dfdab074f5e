import test from 'ava';
import {type ArrivalEvent, type ArrivalState, initialArrival, transition} from '#stb/assemble/arrival-state.ts';

const traits = {transferLength: 1000, repairable: true};

const play = (events: readonly ArrivalEvent[], given = traits) => {
	let state: ArrivalState = initialArrival;
	const effects: string[] = [];
	for (const event of events) {
		const step = transition(state, event, given);
		state = step.state;
		effects.push(...step.effects);
	}
	return {state: state.kind, effects};
};

test('an object that comes whole is stored', (t) => {
	const events = [{kind: 'progress', receivedBytes: 500}, {kind: 'complete'}, {kind: 'stored'}] as const;
	t.deepEqual(play(events), {state: 'stored', effects: ['store', 'settle']});
});

test('holes at the end are repaired, and completion stops the repair', (t) => {
	const events = [{kind: 'ended', missingBytes: 10}, {kind: 'complete'}, {kind: 'stored'}] as const;
	t.deepEqual(play(events), {state: 'stored', effects: ['start-repair', 'stop-repair', 'store', 'settle']});
});

test('a failed repair waits for the carousel’s next pass, three times', (t) => {
	const round = [
		{kind: 'ended', missingBytes: 10},
		{kind: 'repair-failed', code: 'X', final: false},
	] as const;
	t.deepEqual(play([...round, ...round, ...round, ...round]), {
		state: 'receiving',
		effects: ['start-repair', 'start-repair', 'start-repair'],
	});
});

test('a version that the servers no longer have is given up', (t) => {
	const events = [
		{kind: 'ended', missingBytes: 10},
		{kind: 'repair-failed', code: 'X', final: true},
	] as const;
	t.deepEqual(play(events), {state: 'failed', effects: ['start-repair', 'drop', 'settle']});
});

test('bytes that were proven wrong are repaired like lost ones, where repair is possible', (t) => {
	const events = [
		{kind: 'progress', receivedBytes: 0},
		{kind: 'ended', missingBytes: 1000},
	] as const;
	t.deepEqual(play(events).effects, ['start-repair']);
	t.deepEqual(play(events, {...traits, repairable: false}).effects, []);
});

test('what is abandoned while it is repaired is dropped, and hears no more', (t) => {
	const events = [
		{kind: 'ended', missingBytes: 10},
		{kind: 'abandoned', code: 'STB_ARRIVAL_SUPERSEDED'},
		{kind: 'complete'},
		{kind: 'ended', missingBytes: 10},
	] as const;
	t.deepEqual(play(events), {state: 'failed', effects: ['start-repair', 'stop-repair', 'drop', 'settle']});
});

test('verifying can fail but not be abandoned', (t) => {
	const events = [{kind: 'complete'}, {kind: 'abandoned', code: 'A'}, {kind: 'failed', code: 'B'}] as const;
	t.deepEqual(play(events), {state: 'failed', effects: ['store', 'settle']});
});
