import test from 'ava';
import {chooseByWeight, createRepairServers} from '#stb/repair/repair-servers.ts';

const servers = [
	{url: 'http://a/', weight: 3},
	{url: 'http://b/', weight: 1},
];

test('servers are drawn by their weight', (t) => {
	const draws = Array.from({length: 400}, (_, index) => chooseByWeight(servers, index / 400)?.url);
	t.is(draws.filter((url) => url === 'http://a/').length, 300);
	t.is(chooseByWeight([], 0.5), undefined);
	t.is(chooseByWeight([{url: 'http://z/', weight: 0}], 0.99)?.url, 'http://z/');
});

test('a server that failed is left alone for a while, then asked again', (t) => {
	let nowMs = 1000;
	const clock = {nowMs: () => nowMs, monotonicMs: () => nowMs};
	const memory = createRepairServers({clock, random: () => 0});
	t.is(memory.choose(servers)?.url, 'http://a/');
	memory.failed('http://a/');
	t.is(memory.choose(servers)?.url, 'http://b/');
	memory.failed('http://b/');
	t.is(memory.choose(servers)?.url, 'http://a/', 'when all fail, the one that is due first');
	nowMs += 60_000;
	t.is(memory.choose(servers)?.url, 'http://a/');
	memory.failed('http://a/');
	memory.succeeded('http://a/');
	t.is(memory.choose(servers)?.url, 'http://a/');
});
