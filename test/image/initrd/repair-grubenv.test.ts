import {execFileSync, spawnSync} from 'node:child_process';
import {chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {imageDirectory} from '#image/make/recipe.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const script = path.join(imageDirectory, 'initrd/repair-grubenv');
const blockBytes = 1024;
const made = {
	a: {ORDER: 'A B', A_OK: '1', A_TRY: '1', B_OK: '1', B_TRY: '0'},
	b: {ORDER: 'B A', A_OK: '1', A_TRY: '0', B_OK: '1', B_TRY: '1'},
	r: {ORDER: 'A B', A_OK: '1', A_TRY: '2', B_OK: '1', B_TRY: '2'},
};
const states = {
	whole: {ORDER: 'B A', A_OK: '1', A_TRY: '3', B_OK: '1', B_TRY: '1'},
	// RAUC names all slots when it makes one the next.
	'of all slots': {ORDER: 'B A R', A_OK: '1', A_TRY: '0', B_OK: '1', B_TRY: '1', R_OK: '0', R_TRY: '0'},
	older: {ORDER: 'A B', A_OK: '1', A_TRY: '2', B_OK: '0', B_TRY: '0'},
	'with others': {ORDER: 'B', A_OK: '0', A_TRY: '0', B_OK: '1', B_TRY: '0', R_OK: '0', R_TRY: '0', saved_entry: 'x'},
	'no order': {A_OK: '1', A_TRY: '0', B_OK: '1', B_TRY: '0'},
	'an order of no slots': {ORDER: 'C', A_OK: '1', A_TRY: '0', B_OK: '1', B_TRY: '0'},
	'no count': {ORDER: 'A B', A_OK: '1', B_OK: '1', B_TRY: '0'},
	'a count beyond': {ORDER: 'A B', A_OK: '1', A_TRY: '4', B_OK: '1', B_TRY: '0'},
	'a verdict of neither': {ORDER: 'A B', A_OK: 'yes', A_TRY: '0', B_OK: '1', B_TRY: '0'},
} as const;

type Box = {readonly directory: string; readonly first: string; readonly second: string};

const withBox = async (t: ExecutionContext): Promise<Box> => {
	const root = await withDirectory(t);
	const directory = path.join(root, 'EFI/streamverse');
	mkdirSync(directory, {recursive: true});
	return {
		directory,
		first: path.join(directory, 'grubenv'),
		second: path.join(directory, 'grubenv.second'),
	};
};

/** By GRUB's own tool, so that the format is not ours to decide. */
const make = (file: string, environment: Readonly<Record<string, string>>): Buffer => {
	rmSync(file, {force: true});
	execFileSync('grub-editenv', [file, 'create']);
	execFileSync('grub-editenv', [
		file,
		'set',
		...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
	]);
	return readFileSync(file);
};

const read = (file: string): Readonly<Record<string, string>> => {
	const lines = execFileSync('grub-editenv', [file, 'list'], {encoding: 'utf8'}).trim().split('\n');
	return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
};

const repair = (
	{directory}: Box,
	{slot = 'a', searchPath = process.env['PATH']}: {slot?: string; searchPath?: string | undefined} = {},
): {status: number | null; told: string} => {
	const {status, stderr} = spawnSync(script, [directory, slot], {
		encoding: 'utf8',
		env: {...process.env, PATH: searchPath},
	});
	return {status, told: stderr};
};

const breaks: Readonly<Record<string, (whole: Buffer) => Buffer | undefined>> = {
	missing: () => undefined,
	empty: () => Buffer.alloc(0),
	truncated: (whole) => whole.subarray(0, 512),
	'too long': (whole) => Buffer.concat([whole, whole]),
	zeroed: () => Buffer.alloc(blockBytes),
	'of another magic': (whole) => Buffer.from(whole.toString('latin1').replace('# GRUB', '# BURG'), 'latin1'),
	'without order': (whole) => rewritten(whole, /^ORDER=.*\n/mu),
	'without a count': (whole) => rewritten(whole, /^A_TRY=.*\n/mu),
	random: () => Buffer.from(Array.from({length: blockBytes}, (_, index) => (index * 167 + 13) % 256)),
};

const rewritten = (whole: Buffer, removed: RegExp): Buffer =>
	Buffer.from(whole.toString('latin1').replace(removed, '').padEnd(blockBytes, '#'), 'latin1');

const put = (file: string, bytes: Buffer | undefined): void => {
	rmSync(file, {force: true});
	if (bytes !== undefined) {
		writeFileSync(file, bytes);
	}
};

for (const [name, breakIt] of Object.entries(breaks)) {
	test(`an environment that is ${name} is made whole again`, async (t) => {
		const box = await withBox(t);
		const whole = make(box.first, states.whole);
		put(box.second, breakIt(whole));
		t.is(repair(box).status, 0);
		t.deepEqual([readFileSync(box.first), readFileSync(box.second)], [whole, whole], 'the second from the first');

		put(box.first, breakIt(whole));
		const {status, told} = repair(box);
		t.is(status, 0);
		t.regex(told, /made anew/u, 'the journal tells it');
		t.deepEqual([readFileSync(box.first), readFileSync(box.second)], [whole, whole], 'the first from the second');

		for (const [slot, expected] of Object.entries(made)) {
			put(box.first, breakIt(whole));
			put(box.second, breakIt(whole));
			t.is(repair(box, {slot}).status, 0);
			t.like(read(box.first), expected, `both, from slot ${slot}`);
			t.deepEqual(readFileSync(box.second), readFileSync(box.first));
		}
	});
}

test('what is whole is not written', async (t) => {
	const box = await withBox(t);
	for (const state of ['whole', 'with others', 'of all slots'] as const) {
		const bytes = make(box.first, states[state]);
		writeFileSync(box.second, bytes);
		t.deepEqual(repair(box), {status: 0, told: ''});
		t.deepEqual([readFileSync(box.first), readFileSync(box.second)], [bytes, bytes]);
	}
});

test('a second copy that is older follows the first, which is written before it', async (t) => {
	const box = await withBox(t);
	const newer = make(box.first, states.whole);
	make(box.second, states.older);
	t.is(repair(box).status, 0);
	t.deepEqual([readFileSync(box.first), readFileSync(box.second)], [newer, newer]);
});

for (const state of [
	'no order',
	'an order of no slots',
	'no count',
	'a count beyond',
	'a verdict of neither',
] as const) {
	test(`a copy that GRUB reads, with ${state}, is not whole`, async (t) => {
		const box = await withBox(t);
		const whole = make(box.second, states.whole);
		make(box.first, states[state]);
		t.is(repair(box).status, 0);
		t.deepEqual(readFileSync(box.first), whole);
	});
}

test('a box whose directory is lost gets an environment all the same', async (t) => {
	const box = await withBox(t);
	rmSync(box.directory, {recursive: true});
	t.is(repair(box).status, 0);
	t.like(read(box.first), made.a);
	t.like(read(box.second), made.a);
});

/** Commands that change the disk, each a place at which the power may go. */
const changing = ['grub-editenv', 'cp', 'mv', 'rm', 'sync', 'mkdir'] as const;

/** In front of the real ones: the one whose turn it is kills the script before it does anything. */
const makeCutters = (directory: string): void => {
	for (const name of changing) {
		const real = execFileSync('sh', ['-c', `command -v ${name}`], {encoding: 'utf8'}).trim();
		const lines = [
			'#!/bin/sh',
			`left=$(($(cat "${directory}/left") - 1))`,
			`echo "$left" >"${directory}/left"`,
			'[ "$left" -gt 0 ] || { kill -KILL $PPID; exit 1; }',
			`exec ${real} "$@"`,
		];
		writeFileSync(path.join(directory, name), `${lines.join('\n')}\n`);
		chmodSync(path.join(directory, name), 0o755);
	}
};

const cutCases = {
	'the first is broken': ['zeroed', undefined],
	'the second is broken': [undefined, 'zeroed'],
	'both are broken': ['zeroed', 'missing'],
} as const;

for (const [name, [brokenFirst, brokenSecond]] of Object.entries(cutCases)) {
	test(`the power may go at any step of a repair when ${name}`, async (t) => {
		const box = await withBox(t);
		const cutters = await withDirectory(t);
		makeCutters(cutters);
		const whole = make(box.first, states.whole);
		let cuts = 0;
		for (let step = 1; ; step += 1) {
			rmSync(box.directory, {recursive: true});
			mkdirSync(box.directory);
			put(box.first, brokenFirst === undefined ? whole : breaks[brokenFirst]?.(whole));
			put(box.second, brokenSecond === undefined ? whole : breaks[brokenSecond]?.(whole));
			writeFileSync(path.join(cutters, 'left'), `${step}`);
			if (repair(box, {searchPath: `${cutters}:${process.env['PATH']}`}).status === 0) {
				break;
			}
			cuts += 1;
			const wholeCopies = [box.first, box.second].filter(
				(file) => existsSync(file) && readFileSync(file).equals(whole),
			).length;
			t.true(wholeCopies >= 1 || name === 'both are broken', `step ${step} leaves no whole copy`);
			t.is(repair(box).status, 0);
			t.deepEqual(readFileSync(box.second), readFileSync(box.first));
			t.like(read(box.first), name === 'both are broken' ? made.a : states.whole);
		}
		t.true(cuts >= 4, 'no step was cut');
	});
}
