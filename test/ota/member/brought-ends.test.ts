import {symlink, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {broughtEndsName, lastEnd, nextOrderId, noteEnd, readEnds} from '#ota/member/brought-ends.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const manifest = (name: number): Buffer => Buffer.from(`manifest ${name}`);

test('each try of a release has a name of its own, and its last end stands for all of them', async (t) => {
	const directory = await withDirectory(t);
	const first = nextOrderId(manifest(1), undefined);
	t.regex(first, /^stick-[0-9a-f]{32}$/u);
	await noteEnd(directory, {orderId: first, phase: 'failed'});
	const second = nextOrderId(manifest(1), await lastEnd(directory, manifest(1)));
	t.is(second, `${first}-2`);
	await noteEnd(directory, {orderId: second, phase: 'failed'});
	t.is(nextOrderId(manifest(1), await lastEnd(directory, manifest(1))), `${first}-3`);
	t.is((await readEnds(directory)).length, 1);
});

test('the ends of many releases are known, and no more than there is room for', async (t) => {
	const directory = await withDirectory(t);
	for (let name = 0; name < 20; name++) {
		await noteEnd(directory, {orderId: nextOrderId(manifest(name), undefined), phase: 'confirmed'});
	}
	t.is((await readEnds(directory)).length, 16);
	t.is(await lastEnd(directory, manifest(3)), undefined);
	t.like(await lastEnd(directory, manifest(4)), {phase: 'confirmed'});
});

const unreadable = test.macro(async (t, damage: (file: string) => Promise<unknown>) => {
	const directory = await withDirectory(t);
	await damage(path.join(directory, broughtEndsName));
	t.deepEqual(await readEnds(directory), []);
	await noteEnd(directory, {orderId: nextOrderId(manifest(1), undefined), phase: 'confirmed'});
	t.is((await readEnds(directory)).length, 1);
});

test('a memory that is cut off is begun anew', unreadable, (file) => writeFile(file, '[{"orderId":"sti'));
test('a memory that is too long is begun anew', unreadable, (file) => writeFile(file, ' '.repeat(300_000)));
test('a memory that is a link to nowhere is begun anew', unreadable, (file) => symlink('/dev/zero', file));
