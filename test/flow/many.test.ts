import {createHash} from 'node:crypto';
import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {eventually} from '#test/helper/eventually.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withSatellite} from '#test/helper/with-satellite.ts';

const objects = 500;
const contentOf = (index: number): Buffer => Buffer.from(`object ${index} `.repeat(1 + (index % 200)));

test('hundreds of small objects arrive over loss, each byte for byte', async (t) => {
	t.timeout(180_000);
	const directory = await withDirectory(t);
	const folder = join(directory, 'vod', 'small');
	await mkdir(folder, {recursive: true});
	for (let index = 0; index < objects; index += 1) {
		await writeFile(join(folder, `${index}.bin`), contentOf(index));
	}
	const satellite = await withSatellite(t, {
		model: {seed: 41, lossRatio: 0.02},
		fecPercent: 10,
		rateBps: 16_000_000,
		headend: {catalogue: {directory, directoryPriority: 'high', directorySettleMs: 100}},
	});
	const started = performance.now();
	const held = new Map<string, string>();
	await eventually(
		'every object is in the cache',
		async () => {
			held.clear();
			let after = '';
			for (;;) {
				const answer = await fetch(`${satellite.stbUrl()}/box/cache?limit=1000&after=${encodeURIComponent(after)}`);
				const page = (await answer.json()) as {objects: {uri: string; sha256: string}[]; next?: string};
				for (const {uri, sha256} of page.objects.filter((object) => object.uri.includes('/vod/small/'))) {
					held.set(uri, sha256);
				}
				if (page.next === undefined) {
					return held.size === objects;
				}
				after = page.next;
			}
		},
		{timeoutMs: 150_000, intervalMs: 500},
	);
	for (let index = 0; index < objects; index += 1) {
		const digest = createHash('sha256').update(contentOf(index)).digest('hex');
		t.is(held.get(`http://dvb.gw/streamverse/vod/small/${index}.bin`), digest);
	}
	// What is listed is entered a moment before its arrival is over.
	const status = await eventually('nothing is on its way any more', async () => {
		const now = await satellite.status();
		return now.objects.arriving.length === 0 && now;
	});
	t.log(`${Math.round(performance.now() - started)} ms`, status.repair, status.objects, status.receive);
});
