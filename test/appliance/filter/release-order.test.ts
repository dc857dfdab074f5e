import test from 'ava';
import {compareReleases} from '#appliance/filter/release-order.ts';

test('versions are ordered as semantic versioning 2.0.0 section 11 orders them', (t) => {
	const ordered = ['1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-beta', '1.0.0-beta.2', '1.0.0-beta.11'];
	ordered.push('1.0.0-rc.1', '1.0.0', '1.0.1', '1.2.0', '1.10.0', '2.0.0');
	for (const [index, left] of ordered.entries()) {
		for (const [other, right] of ordered.entries()) {
			t.is(Math.sign(compareReleases(left, right) ?? Number.NaN), Math.sign(index - other), `${left} ${right}`);
		}
	}
});

test('what is no version is not compared', (t) => {
	for (const text of ['', '1.0', 'v1.0.0', '1.0.0+build', '1.0.0-', '1.0.0 ']) {
		t.is(compareReleases(text, '1.0.0'), undefined, text);
	}
});

test('numbers of any length are compared digit by digit', (t) => {
	t.true((compareReleases('1.0.0-9007199254740992', '1.0.0-9007199254740993') ?? 0) < 0);
	t.true((compareReleases('1.0.0-9007199254740993', '1.0.0-9007199254740992') ?? 0) > 0);
	t.is(compareReleases('1.0.0-007', '1.0.0-7'), 0);
});
