import test from 'ava';
import {matchesTopic} from '#ota/fleet/server/matches-topic.ts';

const matches = test.macro((t, filter: string, topic: string, expected: boolean) => {
	t.is(matchesTopic(filter, topic), expected);
});

test('a filter matches itself', matches, 'a/b', 'a/b', true);
test('+ stands for one level', matches, 'sv/1/+/event', 'sv/1/box/event', true);
test('+ stands for no more than one level', matches, 'sv/1/+/event', 'sv/1/a/b/event', false);
test('# stands for all that follows', matches, 'sv/#', 'sv/1/box/event', true);
test('# stands for nothing as well', matches, 'sv/#', 'sv', true);
test('the group of a shared subscription is no level', matches, '$share/fleet/sv/1/+/event', 'sv/1/box/event', true);
test('a longer topic does not match', matches, 'a/b', 'a/b/c', false);
