import {readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {silentLogger} from '#appliance/log/logger.ts';
import type {Carrier} from '#stb/tuner/carrier.ts';
import {openCarrierKeeper} from '#stb/tuner/carrier-keeper.ts';
import {tunerConfigSchema} from '#stb/tuner/tuner-config.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const carrier = (frequencyKhz: number): Carrier => ({
	...{system: 'DVB-S2', frequencyKhz, polarization: 'vertical', symbolRate: 27_500_000},
});
const [home, far] = [carrier(11_000_000), carrier(12_000_000)];
const open = (directory: string, config: object = {carriers: [home]}) =>
	openCarrierKeeper({
		path: join(directory, 'carriers.json'),
		config: tunerConfigSchema.parse(config),
		logger: silentLogger(),
	});

test('what was learned is known after a restart, in its order, and nothing lies about', async (t) => {
	const directory = await withDirectory(t);
	const first = open(directory);
	t.deepEqual(first.known, [home]);
	await first.keep([far, home]);
	t.deepEqual(open(directory).known, [far, home]);
	t.deepEqual(await readdir(directory), ['carriers.json']);
});

test('a carrier that cannot be is forgotten, and no other', async (t) => {
	const directory = await withDirectory(t);
	await open(directory).keep([{...far, symbolRate: 1}, far, home]);
	t.deepEqual(open(directory).known, [far, home]);
});

test('another dish, or another operator, begins anew', async (t) => {
	const directory = await withDirectory(t);
	await open(directory).keep([far, home]);
	t.deepEqual(open(directory, {carriers: [home], networkId: 7}).known, [home]);
	t.deepEqual(open(directory, {carriers: [home], antenna: {committed: 1}}).known, [home]);
	t.deepEqual(open(directory, {carriers: [carrier(11_700_000)]}).known, [carrier(11_700_000)]);
});

for (const [what, content] of Object.entries({
	'is no JSON': '{"version":1,',
	'says something else': '{"version":1,"learnedBy":"x","carriers":[{"frequencyKhz":-1}]}',
	'has no end': ' '.repeat(300 * 1024),
})) {
	test(`a file that ${what} costs a search and nothing else`, async (t) => {
		const directory = await withDirectory(t);
		await writeFile(join(directory, 'carriers.json'), content);
		const keeper = open(directory);
		t.deepEqual(keeper.known, [home]);
		await keeper.keep([far, home]);
		t.deepEqual(open(directory).known, [far, home]);
	});
}

test('the same again is not written again, and a disk that takes nothing stops nothing', async (t) => {
	const directory = await withDirectory(t);
	const keeper = open(directory);
	await keeper.keep([far, home]);
	await writeFile(join(directory, 'carriers.json'), 'untouched');
	await keeper.keep([far, home]);
	t.is(await readFile(join(directory, 'carriers.json'), 'utf8'), 'untouched');
	await rm(directory, {recursive: true});
	await t.notThrowsAsync(keeper.keep([home]));
});
