import {mkdir, mkdtemp, open, readdir, readFile, utimes, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {keepAnew, keepOnce} from '#image/make/keep-once.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

test('what was made once is not made again', async (t) => {
	const target = path.join(await withDirectory(t), 'cache/rootfs.tar');
	await keepOnce(target, async (place) => await writeFile(place, 'first'));
	await keepOnce(target, async () => t.fail('made again'));
	t.is(await readFile(target, 'utf8'), 'first');
});

test('two that make the same folder at once do not disturb each other', async (t) => {
	const target = path.join(await withDirectory(t), 'sysroot');
	const both = Promise.withResolvers<void>();
	let begun = 0;
	const make = async (place: string): Promise<void> => {
		await mkdir(place);
		begun += 1;
		if (begun === 2) {
			both.resolve();
		}
		await both.promise;
		await writeFile(path.join(place, 'library'), 'whole');
	};
	await Promise.all([keepOnce(target, make), keepOnce(target, make)]);
	t.is(begun, 2);
	t.is(await readFile(path.join(target, 'library'), 'utf8'), 'whole');
	t.deepEqual(await readdir(path.dirname(target)), ['sysroot'], 'nothing is left beside it');
});

test('of what could not be made nothing stays', async (t) => {
	const directory = await withDirectory(t);
	const failing = keepOnce(path.join(directory, 'rootfs.tar'), async (place) => {
		await writeFile(place, 'half');
		throw new Error('the mirror is gone');
	});
	await t.throwsAsync(failing, {message: 'the mirror is gone'});
	t.deepEqual(await readdir(directory), []);
});

test('what a build that was killed left a day ago is taken away, and nothing of one that goes on', async (t) => {
	const directory = await withDirectory(t);
	const target = path.join(directory, 'rootfs.tar');
	const [killed, going] = [await mkdtemp(`${target}.`), await mkdtemp(`${target}.`)];
	await writeFile(path.join(killed, 'rootfs.tar'), 'half');
	await writeFile(path.join(directory, 'rootfs.tar.sha256'), 'old, but no work');
	for (const old of [killed, path.join(directory, 'rootfs.tar.sha256')]) {
		await utimes(old, 0, 0);
	}
	await keepOnce(target, async (place) => await writeFile(place, 'whole'));
	t.deepEqual((await readdir(directory)).sort(), ['rootfs.tar', path.basename(going), 'rootfs.tar.sha256'].sort());
});

test('a file is made anew and replaced when the new one is whole; who reads the one before reads on', async (t) => {
	const target = path.join(await withDirectory(t), 'rootfs.tar');
	await keepOnce(target, async (place) => await writeFile(place, 'before'));
	await using reader = await open(target);
	const failing = keepAnew(target, async (place) => {
		await writeFile(place, 'half');
		throw new Error('the mirror is gone');
	});
	await t.throwsAsync(failing, {message: 'the mirror is gone'});
	t.is(await readFile(target, 'utf8'), 'before');
	await keepAnew(target, async (place) => {
		await writeFile(place, 'today');
		t.is(await readFile(target, 'utf8'), 'before', 'another build finds a whole one meanwhile');
	});
	t.is(await readFile(target, 'utf8'), 'today');
	t.is(await reader.readFile('utf8'), 'before');
	t.deepEqual(await readdir(path.dirname(target)), ['rootfs.tar'], 'nothing is left beside it');
});
