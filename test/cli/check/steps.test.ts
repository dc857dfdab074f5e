import {globSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {defaultGroups, stepsOf} from '#cli/check/steps.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

const patternsOf = (environment: Readonly<Record<string, string>>): readonly string[] =>
	defaultGroups(environment)
		.flatMap((group) => stepsOf(group, {root, fuzzSeconds: 1, architecture: 'amd64'}))
		.filter(({command}) => command === 'ava')
		.flatMap(({args}) => args)
		.filter((argument) => !argument.startsWith('--'));

const everything = globSync('test/**/*.test.ts', {cwd: root}).sort();
const isOf = (folder: string) => (file: string) => file.startsWith(`test/${folder}/`);

test('the default run has every test but those that need other implementations or boot machines', (t) => {
	const [isPeers, isMachine] = [isOf('peers'), isOf('machine')];
	t.true(everything.some(isPeers) && everything.some(isMachine));
	const wanted = everything.filter((file) => !isPeers(file) && !isMachine(file));
	t.deepEqual(globSync(patternsOf({}), {cwd: root}).sort(), wanted);
});

test('machines are booted as well where somebody asks for it', (t) => {
	const wanted = everything.filter((file) => !isOf('peers')(file));
	t.deepEqual(globSync(patternsOf({STREAMVERSE_TEST_MACHINES: 'true'}), {cwd: root}).sort(), wanted);
});

test('of another architecture it is tested that a box boots and is updated, and what is native', (t) => {
	const steps = stepsOf('image', {root, fuzzSeconds: 1, architecture: 'arm64'});
	t.deepEqual(
		steps.map(({name, environment}) => [name, environment]),
		[
			['machine boot', {STREAMVERSE_TEST_ARCHITECTURE: 'arm64'}],
			['machine update', {STREAMVERSE_TEST_ARCHITECTURE: 'arm64'}],
			['native build for arm64', undefined],
			['ctest native/build-arm64', {}],
		],
	);
});
