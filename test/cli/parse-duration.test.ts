import test from 'ava';
import {parseDurationMs} from '#cli/parse-duration.ts';

for (const [text, expected] of [
	['500ms', 500],
	['3s', 3000],
	['1.5m', 90_000],
	['1h', 3_600_000],
	['60', 60_000],
	['0', 0],
] as const) {
	test(`${text} is ${expected} ms`, (t) => {
		t.is(parseDurationMs(text), expected);
	});
}

for (const text of ['', 's', '-1s', '1d', '1e3', '1 s', '９s', 'Infinity', '1s1s']) {
	test(`"${text}" is no duration`, (t) => {
		t.throws(() => parseDurationMs(text), {code: 'commander.invalidArgument'});
	});
}
