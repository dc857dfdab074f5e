import {randomBytes} from 'node:crypto';
import test from 'ava';
import {sleep} from '#appliance/time/sleep.ts';
import {createRandom} from '#demo/link/random.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withRoleProcess} from '#test/helper/with-role-process.ts';
import {digestOf, withSatellite} from '#test/helper/with-satellite.ts';

const rounds = 3;

test('a set-top that is killed amid reception serves nothing corrupt, and has everything in the end', async (t) => {
	t.timeout(120_000);
	const satellite = await withSatellite(t, {model: {seed: 9, lossRatio: 0.02}, rateBps: 20_000_000, stb: false});
	const sent = new Map<string, Buffer>(
		Array.from(
			{length: 12},
			(_, index) => [`vod/film/seg-${index}.m4s`, randomBytes(150_000 + index * 40_000)] as const,
		),
	);
	for (const [path, bytes] of sent) {
		await satellite.put(path, bytes);
	}
	const stb = await withRoleProcess(t, {
		kind: 'stb',
		directory: satellite.stateDirectory,
		section: satellite.stbSection,
	});
	const listed = async (url: string): Promise<readonly string[]> => {
		const {objects} = (await (await fetch(`${url}/box/cache?limit=1000`)).json()) as {
			objects: readonly {uri: string}[];
		};
		// The service list and the titles are kept as well, but were not put by us.
		return objects.map(({uri}) => uri.slice('http://dvb.gw/streamverse/'.length)).filter((path) => sent.has(path));
	};
	const check = async (url: string): Promise<number> => {
		const held = await listed(url);
		for (const path of held) {
			const served = Buffer.from(await (await fetch(`${url}/streamverse/${path}`)).arrayBuffer());
			t.is(digestOf(served), digestOf(sent.get(path) ?? Buffer.alloc(0)), path);
		}
		return held.length;
	};
	const random = createRandom(9);
	let held = 0;
	for (let round = 0; round < rounds; round += 1) {
		const url = (await stb.start())['http'] ?? '';
		const kept = await check(url);
		t.true(kept >= held, `round ${round}: ${kept} of ${held} objects survived`);
		if (kept < sent.size) {
			await eventually('another object is stored', async () => (await listed(url)).length > kept);
		}
		await sleep(random() * 300);
		held = (await listed(url)).length;
		await stb.kill();
	}
	t.log(`${held} objects after ${rounds} kills`);
	t.true(held >= rounds);
	const url = (await stb.start())['http'] ?? '';
	await eventually('every object is there', async () => (await listed(url)).length === sent.size);
	t.is(await check(url), sent.size);
});
