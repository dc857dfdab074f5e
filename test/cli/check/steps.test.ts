import {globSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {defaultGroups, stepsOf} from '#cli/check/steps.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

test('the default run has every test but those that need other implementations', (t) => {
	const patterns = defaultGroups
		.flatMap((group) => stepsOf(group, {root, fuzzSeconds: 1}))
		.filter(({command}) => command === 'ava')
		.flatMap(({args}) => args);
	const everything = globSync('test/**/*.test.ts', {cwd: root});
	t.true(everything.some((file) => file.startsWith('test/peers/')));
	t.deepEqual(
		globSync(patterns, {cwd: root}).sort(),
		everything.filter((file) => !file.startsWith('test/peers/')).sort(),
	);
});
