import {mkdir, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import type {TunerFacts} from '#native/dvb/tuner.ts';
import {watchTuners} from '#native/dvb/watch-tuners.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const tunerOf = (adapter: number): TunerFacts => ({
	...{adapter, frontend: 0, name: 'x', bus: '', systems: ['DVB-S2'], frequencyKhzMin: 950_000},
	...{frequencyKhzMax: 2_150_000, symbolRateMin: 1, symbolRateMax: 45_000_000, multistream: false, satellite: true},
});

test('tuners are told of as they come and go, from a folder that is not there yet', async (t) => {
	const directory = path.join(await withDirectory(t), 'dvb');
	let present: readonly TunerFacts[] = [];
	const stop = new AbortController();
	const watching = watchTuners({signal: stop.signal, directory, list: () => Promise.resolve(present)});
	const next = async (): Promise<readonly number[] | undefined> =>
		(await watching.next()).value?.map(({adapter}) => adapter);
	t.deepEqual(await next(), []);
	const first = next();
	present = [tunerOf(0)];
	await mkdir(path.join(directory, 'adapter0'), {recursive: true});
	await writeFile(path.join(directory, 'adapter0/frontend0'), '');
	t.deepEqual(await first, [0]);
	const second = next();
	present = [];
	await rm(path.join(directory, 'adapter0'), {recursive: true});
	t.deepEqual(await second, []);
	const end = watching.next();
	stop.abort();
	t.deepEqual(await end, {done: true, value: undefined});
});
