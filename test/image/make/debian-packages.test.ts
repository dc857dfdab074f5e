import {readFile, utimes, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {keepPackages} from '#image/make/debian-packages.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const dayMs = 86_400_000;
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** A tarball that was kept so many days ago, unless there is none. */
const withTarball = async (t: ExecutionContext, daysAgo?: number) => {
	const tarball = path.join(await withDirectory(t), 'rootfs.tar');
	const keptAt = new Date(Date.now() - (daysAgo ?? 0) * dayMs);
	if (daysAgo !== undefined) {
		await writeFile(tarball, 'kept');
		await utimes(tarball, keptAt, keptAt);
	}
	const keep = async ({refresh}: {readonly refresh: boolean}): Promise<readonly string[]> => {
		const told: string[] = [];
		await keepPackages(tarball, {
			refresh,
			make: async (place) => await writeFile(place, 'made'),
			tell: (line) => told.push(line),
		});
		return told;
	};
	return {keep, keptAt: keptAt.getTime(), content: async () => await readFile(tarball, 'utf8')};
};

test('the packages of a tarball that is kept are told with their own day', async (t) => {
	const {keep, keptAt, content} = await withTarball(t, 20);
	t.deepEqual(await keep({refresh: false}), [`Debian’s packages: as of ${dayOf(keptAt)}`]);
	t.is(await content(), 'kept');
});

test('packages of more than a month ago are warned of, with what takes today’s', async (t) => {
	const {keep, keptAt, content} = await withTarball(t, 52);
	const [day, warning, ...others] = await keep({refresh: false});
	t.is(day, `Debian’s packages: as of ${dayOf(keptAt)}`);
	t.regex(warning ?? '', /^warning: .* 52 days old.*--refresh/u);
	t.deepEqual(others, []);
	t.is(await content(), 'kept', 'nobody asked for others');
});

for (const daysAgo of [undefined, 52]) {
	test(`packages that are made now are of today (${daysAgo === undefined ? 'none' : 'old ones'} kept)`, async (t) => {
		const {keep, content} = await withTarball(t, daysAgo);
		const before = Date.now();
		const told = await keep({refresh: daysAgo !== undefined});
		t.is(await content(), 'made');
		t.is(told.length, 1);
		const days = [before, Date.now()].map((ms) => `Debian’s packages: as of ${dayOf(ms)}`);
		t.true(days.includes(told[0] ?? ''), told[0] ?? '');
	});
}
